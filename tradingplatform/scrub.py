"""The last look at a log line: whatever secret got so far goes no further.

Nothing should get here: API keys hide themselves (bots/encrypted.py), what an exchange says is redacted where it
arrives (market/redaction.py), and loggers that print secrets are kept quiet (logs.py). A library's next version, or an
error whose text quotes its own configuration, may still print one.
"""

import base64
import json
import os
import re
from collections.abc import Iterable
from urllib.parse import quote, urlsplit

STARS = "***"
SHORTEST = 8
"""Shorter values are words that occur elsewhere too: replacing them would spoil lines and protect nothing."""

VARIABLES = re.compile(r"SECRET|TOKEN|PASSWORD|FIELD_KEYS|API_KEY|^WEBHOOKS$")
ADDRESSES = ("DATABASE_URL", "REDIS_URL")
_LOOKS_SECRET = re.compile(
    r"(?P<kept>signature=|X-MBX-APIKEY['\"]?: ?['\"]?|Bearer |/webhooks/\d+/|hooks\.slack\.com/services/)"
    r"[^\s&\"'@,}\\]{4,}"
    r"|(?P<user>://[^\s:/@\"']{0,64}:)[^\s/@\"'\\]+(?=@)"
    r"|(?<!\d)\d{3,16}:[A-Za-z0-9_-]{20,}"  # Telegram's
)

_known: dict[str, None] = {}


def remember(*secrets: str) -> None:
    """Values that no line of this process may hold from now on, in any spelling that a program would write them in."""
    for secret in secrets:
        if len(secret) >= SHORTEST:
            _known.update(dict.fromkeys(_spellings(secret)))


def remember_environment(environment: Iterable[tuple[str, str]] | None = None) -> None:
    """The secrets that this process was started with."""
    for name, value in os.environ.items() if environment is None else environment:
        if VARIABLES.search(name):
            remember(value, *value.split(","))
        elif name in ADDRESSES:
            remember(_password(value))


def scrub(text: str) -> str:
    """The text without the secrets that are known, and without what looks like one."""
    for secret in _known:
        if secret in text:
            text = text.replace(secret, STARS)
    return _LOOKS_SECRET.sub(lambda found: f"{found['kept'] or found['user'] or ''}{STARS}", text)


def _spellings(secret: str) -> Iterable[str]:
    """As it is, in a URL, inside JSON, and as Basic authentication would have it."""
    yield secret
    yield quote(secret, safe="")
    yield json.dumps(secret)[1:-1]
    yield base64.b64encode(secret.encode()).decode()


def _password(address: str) -> str:
    try:
        return urlsplit(address).password or ""
    except ValueError:
        return ""
