"""Text that came from outside, made fit for a log line. PURE."""

import re
from collections.abc import Iterable

_LONGEST = 300
_QUERY = re.compile(r"\?[^\s\"'>)]*")
_SECRET = re.compile(r"(?i)((?:signature|api_?key|secret|token|passphrase)[\"']?\s*[=:]\s*[\"']?)[^\s\"'&,}]+")


def redacted(text: str, secrets: Iterable[str] = ()) -> str:
    """Without query strings, signatures, keys and the ``secrets``; at most 300 characters, on one line."""
    for secret in secrets:
        text = text.replace(secret, "***") if secret else text
    text = " ".join(_SECRET.sub(r"\1***", _QUERY.sub("", text)).split())
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "..."
