"""What is sent for an event, and its signature."""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping

from notifications.models import Event, Severity
from notifications.stream import data_of
from notifications.webhooks.config import Hook, Shape

_DISCORD_MOST = 2_000  # characters of a message
_SIGNS = {Severity.INFO: "", Severity.WARNING: "Warning: ", Severity.CRITICAL: "CRITICAL: "}
_MARKDOWN = re.compile(r"([\\*_~`|>\[\]#<@])")


def body_of(hook: Hook, event: Event) -> bytes:
    """The request's body, UTF-8 JSON."""
    data: Mapping[str, object]
    match hook.shape:
        case Shape.JSON:
            data = data_of(event)
        case Shape.DISCORD:  # nobody is called by a name that an event happens to hold
            text = _MARKDOWN.sub(r"\\\1", _sentence(event))[:_DISCORD_MOST]
            data = {"content": text, "allowed_mentions": {"parse": []}}
        case Shape.SLACK:
            text = _sentence(event).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            data = {"text": text}
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False).encode()


def headers_of(hook: Hook, event: Event, body: bytes, timestamp: int) -> dict[str, str]:
    """``timestamp``: wall time of this attempt in whole seconds. It is signed too: a receiver refuses what is old, and
    what it had already by ``X-Event-Seq``."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "trading-platform",
        "X-Event-Seq": str(event.seq),
        "X-Webhook-Timestamp": str(timestamp),
    }
    if secret := hook.secret.get_secret_value():
        headers["X-Webhook-Signature"] = f"v1={signature(secret, timestamp, body)}"
    return headers


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256, in hexadecimal, over the timestamp, a full stop, and the body as it is sent."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _sentence(event: Event) -> str:
    return f"{_SIGNS[Severity(event.severity)]}{event.text} ({event.market_at:%Y-%m-%d %H:%M} UTC)"
