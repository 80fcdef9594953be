"""PURE. Where the price is inside a candle that is not finished yet.

Only the four prices of the finished candle are known; the way between them is the one backtesters assume: a rising
candle dips to its low first, a falling one peaks first. So the last price of every moment lies inside the candle's
final range and ends at its close.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from simexchange.candles import CLOSE, HIGH, LOW, OPEN, OPEN_MS, VOLUME, Rows

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


def _legs(row: Rows) -> list[tuple[float, int]]:
    """The path as (share of the candle's length, price) corners."""
    opened, high, low, closed = (int(row[column]) for column in (OPEN, HIGH, LOW, CLOSE))
    turns = (low, high) if closed >= opened else (high, low)
    at = int(row[OPEN_MS])
    first = _FIRST_TURN[0] + (_FIRST_TURN[1] - _FIRST_TURN[0]) * _share(at, 1)
    second = _SECOND_TURN[0] + (_SECOND_TURN[1] - _SECOND_TURN[0]) * _share(at, 2)
    return [(0.0, opened), (first, turns[0]), (second, turns[1]), (1.0, closed)]


def partial(row: Rows, elapsed: float, tick: int) -> Rows:
    """The candle as it looks when ``elapsed`` (0..1) of its length has passed; prices on multiples of ``tick`` (e8).

    Volumes grow evenly. At ``elapsed`` 1 it is the finished candle.
    """
    if elapsed >= 1.0:
        return row
    corners = _legs(row)
    seen = [corners[0][1]]
    last = seen[0]
    for (from_share, from_price), (to_share, to_price) in pairwise(corners):
        if elapsed >= to_share:
            last = to_price
            seen.append(last)
            continue
        travelled = max(elapsed - from_share, 0.0) / (to_share - from_share)
        # Both ends lie on ticks, so the nearest tick in between never leaves the candle's range.
        last = from_price + round((to_price - from_price) * travelled / tick) * tick
        seen.append(last)
        break
    out = row.copy()
    out[HIGH], out[LOW], out[CLOSE] = max(seen), min(seen), last
    out[VOLUME:] = np.floor(row[VOLUME:] * max(elapsed, 0.0)).astype(np.int64)
    return out
