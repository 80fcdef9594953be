"""What may not pass the border into a window of candles. PURE."""

import numpy as np
from numpy.typing import NDArray

from market.candles import Candles

Truths = NDArray[np.bool_]


def cleaned(candles: Candles, interval_s: int) -> tuple[Candles, int]:
    """Sorted by open time, one candle per time (the last one wins), nonsense left out; and how many were left out.

    Nonsense is: a number that is not finite, a price that is not positive, a negative volume, a high below its low, an
    open time that is no positive multiple of ``interval_s`` (seconds). Repeated candles count as left out.
    """
    kept = candles if _all(sound := _sound(candles, interval_s)) else _chosen(candles, np.flatnonzero(sound))
    if _all(np.diff(kept.opened_ms) > 0):
        return kept, len(candles) - len(kept)
    by_time = np.argsort(kept.opened_ms, kind="stable")
    times = kept.opened_ms[by_time]
    last_of_its_time = np.append(times[1:] != times[:-1], True)
    kept = _chosen(kept, by_time[last_of_its_time])
    return kept, len(candles) - len(kept)


LARGEST_JUMP = 2.0
"""A close this many times the one before, or its reciprocal, is a bad print until the next candle agrees."""


def implausible(candles: Candles) -> bool:
    """Whether the last close is so far from the one before that it may neither be entered on nor valued at."""
    if len(candles) < 2:
        return False
    before, last = float(candles.close[-2]), float(candles.close[-1])
    return not before / LARGEST_JUMP < last < before * LARGEST_JUMP


def _sound(candles: Candles, interval_s: int) -> Truths:
    """One truth per candle: could it be real? Comparisons with NaN are false."""
    prices = (candles.open, candles.high, candles.low, candles.close)
    sound: Truths = (
        (candles.opened_ms > 0) & (candles.opened_ms % (interval_s * 1000) == 0) & (candles.high >= candles.low)
    )
    for price in prices:
        sound &= (price > 0) & np.isfinite(price)
    sound &= (candles.volume >= 0) & np.isfinite(candles.volume)
    return sound


def _all(truths: Truths) -> bool:
    return bool(truths.all())


def _chosen(candles: Candles, rows: NDArray[np.intp]) -> Candles:
    return Candles(candles.opened_ms[rows], *(column[rows] for column in candles.prices()))
