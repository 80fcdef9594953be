"""Figures and tables that fit a phone held upright. PURE."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from textwrap import wrap

from market.money import decimals_shown, percent, ratio
from notifications.telegram.markup import pre
from tradingplatform.alarm_texts import span

WIDTH = 36
"""Monospace columns that a phone shows without breaking the line."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: str = "") -> str:
    """Columns as wide as they must be; the first gives way when the line would be too long. ``right``: one letter per
    column, ``r`` where it is aligned to the right."""
    cells = [tuple(head), *(tuple(row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    over = sum(widths) + len(widths) - 1 - WIDTH
    widths[0] = max(6, widths[0] - max(0, over))
    return pre(_line(row, widths, right) for row in cells)


def pairs(rows: Iterable[tuple[str, str]]) -> str:
    """A name and what is said of it on each line: figures to the right, words on more lines where they are many."""
    shown = [(clip(name, WIDTH // 2), said) for name, said in rows if said]
    width = max((len(name) for name, _ in shown), default=0)
    return pre(line for name, said in shown for line in _pair(name, said, width))


def clip(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def money(amount: Decimal, quote: str) -> str:
    return f"{amount:,.{decimals_shown(quote)}f}"


def signed(amount: Decimal, quote: str) -> str:
    """With its sign, unless nothing of it is left to see."""
    shown = f"{amount:+,.{decimals_shown(quote)}f}"
    return shown if shown.strip("+-0.,") else shown[1:]


def share(part: Decimal, whole: Decimal) -> str:
    return percent(ratio(part, whole))


def signed_share(part: Decimal, whole: Decimal) -> str:
    """Two decimals at most: a column of a table."""
    fraction = ratio(part, whole) * 100
    return f"{fraction:+.2f}%" if fraction else "0%"


def aged(since: datetime | None, until: datetime) -> str:
    """How long ago; a dash for never."""
    if since is None:
        return "-"
    return duration(max(0.0, (until - since).total_seconds()))


def duration(seconds: float) -> str:
    """``3d``, ``5h``, ``12m``, ``40s``: narrow."""
    if seconds >= 2 * 86_400:
        return f"{seconds / 86_400:.0f}d"
    if seconds >= 7_200:
        return f"{seconds / 3_600:.0f}h"
    return f"{seconds / 60:.0f}m" if seconds >= 120 else f"{seconds:.0f}s"


def clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def in_words(seconds: float) -> str:
    return span(seconds)


def _pair(name: str, said: str, width: int) -> Iterator[str]:
    room = WIDTH - width - 1
    lines = [said.rjust(room)] if _is_figure(said) and len(said) <= room else wrap(said, room)
    for number, line in enumerate(lines):
        yield f"{'' if number else name}".ljust(width) + f" {line}"


def _line(row: Sequence[str], widths: Sequence[int], right: str) -> str:
    fitted = [clip(cell, width) for cell, width in zip(row, widths, strict=True)]
    sides = right.ljust(len(fitted))
    return " ".join(
        cell.rjust(width) if side == "r" else cell.ljust(width)
        for cell, width, side in zip(fitted, widths, sides, strict=True)
    ).rstrip()


def _is_figure(text: str) -> bool:
    return text[:1] in "+-0123456789"
