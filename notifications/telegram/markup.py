"""Telegram's HTML: escaped, and cut without leaving a tag or an entity half done. PURE.

See https://core.telegram.org/bots/api#html-style.
"""

import re
from collections.abc import Iterable
from html import escape as _escape

LONGEST = 4096
"""Of a message, in UTF-16 units. Telegram counts them after the tags are gone; here they count, which is safe."""

LONGEST_CAPTION = 1024

_TOKEN = re.compile(r"<(?P<close>/?)(?P<tag>[a-z]+)[^>]*>|&[a-z#0-9]{1,8};|.", re.DOTALL)
_MORE = "…"


def escape(text: object) -> str:
    """Any text as text: nothing in it is markup."""
    return _escape(str(text).replace("\x00", ""), quote=False)


def bold(text: object) -> str:
    return f"<b>{escape(text)}</b>"


def pre(lines: Iterable[str]) -> str:
    """Monospace lines, as they are."""
    return f"<pre>{escape(chr(10).join(lines))}</pre>"


def units(text: str) -> int:
    """How long Telegram thinks it is."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(html: str, longest: int = LONGEST) -> str:
    """At most ``longest`` units: what is too much goes, and what was open is closed."""
    if units(html) <= longest:
        return html
    kept: list[str] = []
    open_tags: list[str] = []
    left = longest - units(_MORE)
    for token in _TOKEN.finditer(html):
        tag, closes = token["tag"], bool(token["close"])
        after = open_tags[:-1] if closes else [*open_tags, tag] if tag else open_tags
        length = units(token[0])
        if length + _closing_length(after) > left:
            break
        kept.append(token[0])
        open_tags, left = after, left - length
    return "".join(kept) + _MORE + "".join(f"</{tag}>" for tag in reversed(open_tags))


def _closing_length(tags: list[str]) -> int:
    return sum(len(tag) + 3 for tag in tags)
