"""PURE. Where the price is inside a candle that is not finished yet.

Only the four prices of the finished candle are known; the way between them is the one backtesters assume: a rising
candle dips to its low first, a falling one peaks first. So the last price of every moment lies inside the candle's
final range and ends at its close.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np

from simexchange.market.candles import CLOSE, HIGH, LOW, OPEN, OPEN_MS, VOLUME, Rows
from simexchange.market.timeframes import MINUTE_MS

Corners = list[tuple[float, int]]  # (share of the candle's length, price in 1e-8 quote)

# The turning points move between these shares of the candle's length, so that candles do not all turn at once.
_FIRST_TURN = (0.15, 0.45)
_SECOND_TURN = (0.55, 0.85)


def prices_at(row: Rows, shares: list[float], tick: int) -> list[int]:
    """Prices (e8, on ticks) when these shares (0..1) of the finished candle's length have passed."""
    corners = _legs(row)
    first = corners[0][1]
    moved = np.interp(shares, [share for share, _ in corners], [float(price - first) for _, price in corners])
    return [first + round(ticks) * tick for ticks in (moved / tick).tolist()]


def _share(open_ms: int, salt: int) -> float:
    """A repeatable number in [0, 1) for a candle: the same candle always turns at the same moments."""
    x = (open_ms // 1000 * 0x9E3779B97F4A7C15 + salt * 0xBF58476D1CE4E5B9) & (2**64 - 1)
    x ^= x >> 31
    x = (x * 0x94D049BB133111EB) & (2**64 - 1)
    return (x >> 33) / 2**31


def _moment(between: tuple[float, float], share: float) -> float:
    """A turning point, on a whole millisecond of a candle of minutes: its price is then the price of that moment, and
    who looks every millisecond has seen the candle's high and low."""
    return round((between[0] + (between[1] - between[0]) * share) * MINUTE_MS) / MINUTE_MS


def _legs(row: Rows) -> Corners:
    """Where the path begins, turns and ends."""
    opened, high, low, closed = (int(row[column]) for column in (OPEN, HIGH, LOW, CLOSE))
    turns = (low, high) if closed >= opened else (high, low)
    at = int(row[OPEN_MS])
    first, second = _moment(_FIRST_TURN, _share(at, 1)), _moment(_SECOND_TURN, _share(at, 2))
    return [(0.0, opened), (first, turns[0]), (second, turns[1]), (1.0, closed)]


def _price(corners: Corners, elapsed: float, tick: int) -> int:
    """The price after ``elapsed`` (0..1) of the candle's length."""
    last = corners[0][1]
    for (from_share, from_price), (to_share, to_price) in pairwise(corners):
        if elapsed < to_share:
            travelled = max(elapsed - from_share, 0.0) / (to_share - from_share)
            # Both ends lie on ticks, so the nearest tick in between never leaves the candle's range.
            return from_price + round((to_price - from_price) * travelled / tick) * tick
        last = to_price
    return last


def partial(row: Rows, elapsed: float, tick: int) -> Rows:
    """The candle as it looks when ``elapsed`` (0..1) of its length has passed; prices on multiples of ``tick`` (e8).

    Volumes grow evenly. At ``elapsed`` 1 it is the finished candle.
    """
    if elapsed >= 1.0:
        return row
    corners = _legs(row)
    last = _price(corners, elapsed, tick)
    seen = [price for share, price in corners if share <= elapsed] + [last]
    out = row.copy()
    out[HIGH], out[LOW], out[CLOSE] = max(seen), min(seen), last
    out[VOLUME:] = np.floor(row[VOLUME:] * max(elapsed, 0.0)).astype(np.int64)
    return out


def first_touch(
    row: Rows, length_ms: int, tick: int, start_ms: int, end_ms: int, low: int | None, high: int | None
) -> int | None:
    """The first moment in ``[start_ms, end_ms]`` at which the candle's price is at or below ``low``, or at or above
    ``high`` (1e-8 quote); None when it is at neither. The moments must lie within the candle or at its very end.

    The price is the one that ``partial`` shows at that moment. It runs one way between two corners, so it is enough to
    look at the ends of each stretch, and to halve the one in which the touch lies.
    """
    opened, corners = int(row[OPEN_MS]), _legs(row)

    def touched(at_ms: int) -> bool:
        price = _price(corners, (at_ms - opened) / length_ms, tick)
        return (low is not None and price <= low) or (high is not None and price >= high)

    turns = (opened + round(share * length_ms) for share, _ in corners[1:])
    before = start_ms
    if before > end_ms or touched(before):
        return before if before <= end_ms else None
    for until in (*(turn for turn in turns if start_ms < turn < end_ms), end_ms):
        if touched(until):
            return _bisect(touched, before, until)
        before = until
    return None


def _bisect(touched: Callable[[int], bool], before: int, at: int) -> int:
    """The first moment of a touch that is not yet at ``before`` and is at ``at``."""
    while at - before > 1:
        middle = (before + at) // 2
        before, at = (before, middle) if touched(middle) else (middle, at)
    return at
