"""PURE. Is this request signed by the account's key, now?"""

from __future__ import annotations

import hashlib
import hmac

from simexchange.errors import request_errors
from simexchange.requests.params import Params

#: The one demo account's key pair. Nothing is protected by it: it exists so that clients sign as they must on Binance.
DEMO_KEY = "simexchange-demo-key-0000000000000000000000000000000000000000001"
DEMO_SECRET = "simexchange-demo-secret-00000000000000000000000000000000000000001"

_DEFAULT_RECV_WINDOW_MS, _MAX_RECV_WINDOW_MS = 5_000, 60_000
_AHEAD_MS = 1_000


def check_key(sent: str | None, key: str) -> None:
    """The X-MBX-APIKEY header: absent or malformed is -2014, another key is -2015."""
    if not sent or not sent.isascii() or not sent.replace("-", "").isalnum():
        raise request_errors.bad_key_format()
    if not hmac.compare_digest(sent, key):
        raise request_errors.bad_key()


def check_signature(params: Params, query: str, body: str, secret: str) -> None:
    """HMAC-SHA256 over the query string followed by the body, both as sent, without the signature itself."""
    sent = params.required("signature")
    payload = _unsigned(query) + _unsigned(body)
    expected = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).hexdigest()
    if not hmac.compare_digest(sent.lower().encode(), expected.encode()):
        raise request_errors.bad_signature()


def _unsigned(raw: str) -> str:
    return "&".join(pair for pair in raw.split("&") if not pair.startswith("signature="))


def check_timing(params: Params, server_ms: int) -> None:
    """A request is good while ``server - timestamp <= recvWindow`` and ``timestamp < server + 1 s`` (wall time)."""
    params.required("timestamp")
    timestamp = params.integer("timestamp")
    window = params.integer("recvWindow")
    if window is not None and window > _MAX_RECV_WINDOW_MS:
        raise request_errors.recv_window_too_long()
    assert timestamp is not None
    if timestamp >= server_ms + _AHEAD_MS:
        raise request_errors.ahead_of_server()
    if server_ms - timestamp > (_DEFAULT_RECV_WINDOW_MS if window is None else window):
        raise request_errors.outside_recv_window()
