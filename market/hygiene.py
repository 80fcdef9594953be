"""What may not pass the border into a window of candles, and the rule for each kind of it. PURE."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from market.candles import Candles

Truths = NDArray[np.bool_]

LARGEST_JUMP = 2.0
"""So many times a neighbour's close, or its reciprocal, is no price but a bad print, until a second candle agrees."""


class Defect(StrEnum):
    """What can be wrong with a candle of an answer. All but UNORDERED are left out, and leave a hole."""

    NOT_A_NUMBER = "not a number"  # a price or volume that is not finite
    NOT_POSITIVE = "not positive"  # a price of zero or less, a volume below zero
    INVERTED = "inverted"  # the high is not the highest price, or the low not the lowest
    OFF_GRID = "off the grid"  # its open time is no positive multiple of the interval
    FUTURE = "from the future"  # it opens later than it can be now, on any clock
    REPEATED = "repeated"  # its open time came again later in the answer: the later one counts
    UNORDERED = "out of order"  # it came after a later candle: sorted, and kept
    BAD_PRINT = "bad print"  # a price that neither the candle before nor the one after knows


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Candles in order, one per open time, and how many were found with each defect."""

    candles: Candles
    defects: Counter[Defect] = field(default_factory=Counter)

    @property
    def dropped(self) -> int:
        """How many were left out."""
        return self.defects.total() - self.defects[Defect.UNORDERED]


def cleaned(candles: Candles, interval_s: int, newest_ms: int | None = None) -> Cleaned:
    """An answer of an exchange made fit for a window: what cannot be real left out, the rest in order.

    ``interval_s`` in seconds; ``newest_ms`` is the latest open time that a candle can have (UTC milliseconds of market
    time, None for no bound). A candle with several defects counts under the first one.
    """
    defects: Counter[Defect] = Counter()
    sound = np.ones(len(candles), dtype=bool)
    for defect, found in _impossible(candles, interval_s, newest_ms):
        if (found & sound).any():
            defects[defect] = int((found & sound).sum())
            sound &= ~found
    kept = candles if sound.all() else candles[np.flatnonzero(sound)]
    return Cleaned(_in_order(kept, defects), defects)


def without_bad_prints(candles: Candles) -> Cleaned:
    """The window without the candles that hold a price which neither neighbour's close knows (see LARGEST_JUMP).

    The last candle stays: it has no neighbour yet that could disagree (``trust.implausible`` judges it). A real crash
    stays too, because its first candle opens near the one before and closes near the one after.
    """
    dropped = 0
    while len(candles) >= 3 and (bad := _unknown_to_neighbours(candles)).any():
        dropped += int(bad.sum())
        candles = candles[np.flatnonzero(~bad)]
    return Cleaned(candles, Counter({Defect.BAD_PRINT: dropped} if dropped else {}))


def _impossible(candles: Candles, interval_s: int, newest_ms: int | None) -> Iterator[tuple[Defect, Truths]]:
    """One truth per candle and defect. Comparisons with NaN are false, so it comes first."""
    prices = np.stack([candles.open, candles.high, candles.low, candles.close])
    times, volume = candles.opened_ms, candles.volume
    yield Defect.NOT_A_NUMBER, ~(np.isfinite(prices).all(axis=0) & np.isfinite(volume))
    yield Defect.NOT_POSITIVE, (prices <= 0).any(axis=0) | (volume < 0)
    yield Defect.INVERTED, (candles.high < prices.max(axis=0)) | (candles.low > prices.min(axis=0))
    yield Defect.OFF_GRID, (times <= 0) | (times % (interval_s * 1000) != 0)
    if newest_ms is not None:
        yield Defect.FUTURE, times > newest_ms


def _in_order(candles: Candles, defects: Counter[Defect]) -> Candles:
    steps = np.diff(candles.opened_ms)
    if bool((steps > 0).all()):
        return candles
    by_time = np.argsort(candles.opened_ms, kind="stable")
    times = candles.opened_ms[by_time]
    last_of_its_time = np.append(times[1:] != times[:-1], True)
    if repeated := len(times) - int(last_of_its_time.sum()):
        defects[Defect.REPEATED] = repeated
    if unordered := int((steps < 0).sum()):
        defects[Defect.UNORDERED] = unordered
    return candles[by_time[last_of_its_time]]


def _unknown_to_neighbours(candles: Candles) -> Truths:
    before, after = candles.close[:-2], candles.close[2:]
    highest = candles.high[1:-1] > LARGEST_JUMP * np.maximum(before, after)
    lowest = candles.low[1:-1] < np.minimum(before, after) / LARGEST_JUMP
    return np.concatenate([[False], highest | lowest, [False]])
