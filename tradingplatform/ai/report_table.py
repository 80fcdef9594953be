"""What opinions were worth, as text for a terminal. PURE."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bots.ai import AiMode
from market.money import ZERO, decimals_shown, exact, exact_sum
from risk.opinion import Advice

HEADS = ("bot", "mode", "asked", "allow", "shrink", "veto", "none", "closed", "realised", "vetoed", "shrunk", "advised")

LEGEND = """\
asked     entries that an AI was asked about, and below each answer how many had it; none: no usable answer
closed    of the entries that were made, those whose position has ended; only these are counted in what follows
realised  what they earned, fees included
vetoed    what those earned that the AI would have vetoed (in the mode veto they were never made)
shrunk    the same of those that it shrank or would have shrunk
advised   what all would have earned had the shadow been obeyed: nothing of the vetoed, a part of the shrunk"""


@dataclass(frozen=True, slots=True)
class Judged:
    """One opinion, and what became of the entry. ``realised``: None while, or where, no position has ended."""

    bot: str
    quote: str
    mode: str
    advice: str
    factor: Decimal
    realised: Decimal | None


def report_table(judged: Sequence[Judged]) -> str:
    """A line per bot and mode, and one for each currency where it has several of them."""
    rows = [HEADS, *_rows(judged)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADS))]
    lines = ["  ".join(_fitted(cell, width, column) for column, (cell, width) in _columns(row, widths)) for row in rows]
    return "\n".join([*(line.rstrip() for line in lines), "", LEGEND])


def _rows(judged: Sequence[Judged]) -> Iterator[tuple[str, ...]]:
    for bot, mode in sorted({(one.bot, one.mode) for one in judged}):
        ours = [one for one in judged if (one.bot, one.mode) == (bot, mode)]
        yield bot, mode, *_figures(ours)
    for quote in sorted({one.quote for one in judged}):
        for mode in sorted({one.mode for one in judged if one.quote == quote}):
            ours = [one for one in judged if (one.quote, one.mode) == (quote, mode)]
            if len({one.bot for one in ours}) > 1:
                yield f"all in {quote}", mode, *_figures(ours)


def _figures(ours: Sequence[Judged]) -> Iterator[str]:
    yield str(len(ours))
    for advice in (Advice.ALLOW, Advice.SHRINK, Advice.VETO, Advice.NONE):
        yield str(sum(one.advice == advice for one in ours))
    closed = [one for one in ours if one.realised is not None]
    decimals = decimals_shown(ours[0].quote)
    yield str(len(closed))
    sums = (
        _sum(closed),
        _sum(one for one in closed if one.advice == Advice.VETO),
        _sum(one for one in closed if one.advice == Advice.SHRINK),
        _as_advised(closed),
    )
    for figure in sums:
        yield f"{figure:+,.{decimals}f}"


def _sum(closed: Iterable[Judged]) -> Decimal:
    return exact_sum(one.realised for one in closed if one.realised is not None)


def _as_advised(closed: Iterable[Judged]) -> Decimal:
    """What was done with the advice is in the profit already; what was not is taken off in proportion."""
    total = ZERO
    with exact():
        for one in closed:
            share = one.factor if one.mode == AiMode.SHADOW else Decimal(1)
            if one.mode == AiMode.SHADOW and one.advice == Advice.VETO:
                share = ZERO
            total += (one.realised or ZERO) * share
    return total


def _columns(row: tuple[str, ...], widths: Sequence[int]) -> Iterator[tuple[int, tuple[str, int]]]:
    return enumerate(zip(row, widths, strict=True))


def _fitted(cell: str, width: int, column: int) -> str:
    return cell.ljust(width) if column < 2 else cell.rjust(width)
