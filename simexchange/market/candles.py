"""PURE. Candles as rows of exact integers, and how small ones add up to big ones.

One row is ten int64 columns. Prices and volumes are counted in 1e-8 units ("e8"), the eight decimals of the wire, so
that aggregation is exact at every timeframe and nothing is ever rounded twice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]  # shape (candles, 10), ascending by open time

OPEN_MS, OPEN, HIGH, LOW, CLOSE, VOLUME, QUOTE_VOLUME, TRADES, TAKER_BASE, TAKER_QUOTE = range(10)
COLUMNS = 10
EMPTY: Rows = np.empty((0, COLUMNS), dtype=np.int64)


def aggregate(rows: Rows, length_ms: int) -> Rows:
    """Candles of ``length_ms`` from shorter ones.

    A bucket that is only partly covered is made of what there is; a bucket without any candle stays missing, because
    an exchange that did not trade published no candle either.
    """
    if len(rows) == 0:
        return rows
    buckets = rows[:, OPEN_MS] // length_ms
    starts = np.concatenate(([0], np.flatnonzero(np.diff(buckets)) + 1))
    ends = np.concatenate((starts[1:], [len(rows)])) - 1
    out = np.empty((len(starts), COLUMNS), dtype=np.int64)
    out[:, OPEN_MS] = buckets[starts] * length_ms
    out[:, OPEN] = rows[starts, OPEN]
    out[:, HIGH] = np.maximum.reduceat(rows[:, HIGH], starts)
    out[:, LOW] = np.minimum.reduceat(rows[:, LOW], starts)
    out[:, CLOSE] = rows[ends, CLOSE]
    out[:, VOLUME:] = np.add.reduceat(rows[:, VOLUME:], starts, axis=0)
    return out


def between(rows: Rows, start_ms: int, end_ms: int) -> Rows:
    """The candles that open in ``[start_ms, end_ms)``; a view, not a copy."""
    first, last = np.searchsorted(rows[:, OPEN_MS], (start_ms, end_ms))
    return rows[first:last]
