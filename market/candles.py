"""Candles as columns. PURE.

A ``Candles`` is a window of one symbol and timeframe, oldest first. Times are the candles' OPEN times in UTC
milliseconds of market time; prices and volumes are float64 (indicators are floats, money is not: see
instruments.py for the way back).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Candles:
    """Equal-length columns: ``opened_ms`` int64 of shape (n,), the others float64 of shape (n,)."""

    opened_ms: NDArray[np.int64]
    open: Column
    high: Column
    low: Column
    close: Column
    volume: Column

    def __len__(self) -> int:
        return len(self.opened_ms)

    def __getitem__(self, rows: "slice | NDArray[np.intp]") -> "Candles":
        """Some of the candles: a slice (a view), or row numbers in any order (a copy)."""
        return Candles(self.opened_ms[rows], *(column[rows] for column in self.prices()))

    @property
    def last_opened_ms(self) -> int | None:
        """Open time of the newest candle, None when there is none."""
        return int(self.opened_ms[-1]) if len(self) else None

    def closed_before(self, market_ms: int, interval_s: int) -> "Candles":
        """Only the candles that have closed by ``market_ms``: the still-open one is not data yet."""
        count = int(np.searchsorted(self.opened_ms, market_ms - interval_s * 1000, side="right"))
        return self[:count]

    def since(self, opened_ms: int) -> "Candles":
        """The candles that opened at or after ``opened_ms``."""
        return self[int(np.searchsorted(self.opened_ms, opened_ms, side="left")) :]

    def missing(self, last: int, interval_s: int) -> int:
        """How many candles are missing among the ``last`` ones (between the first and the last of them)."""
        opened = self.opened_ms[-last:]
        return int(opened[-1] - opened[0]) // (interval_s * 1000) + 1 - len(opened) if len(opened) else 0

    def merged(self, newer: "Candles", keep: int) -> "Candles":
        """Both windows as one, ``newer`` winning where both have a candle; the last ``keep`` of it."""
        if not len(newer):
            return self[-keep:]
        cut = int(np.searchsorted(self.opened_ms, newer.opened_ms[0], side="left"))
        overlap = self.opened_ms[cut:]
        only_here = cut + np.flatnonzero(~np.isin(overlap, newer.opened_ms))
        head = self[:cut] if not len(only_here) else self[np.concatenate([np.arange(cut), only_here])]
        joined = head._followed_by(newer)
        if len(only_here):
            joined = joined[np.argsort(joined.opened_ms, kind="stable")]
        return joined[-keep:]

    def _followed_by(self, newer: "Candles") -> "Candles":
        return Candles(
            np.concatenate([self.opened_ms, newer.opened_ms]),
            *(np.concatenate([a, b]) for a, b in zip(self.prices(), newer.prices(), strict=True)),
        )

    def prices(self) -> tuple[Column, Column, Column, Column, Column]:
        """open, high, low, close, volume."""
        return self.open, self.high, self.low, self.close, self.volume

    def to_bytes(self) -> bytes:
        """48 bytes a candle, row after row; the inverse of ``from_bytes``."""
        table = np.empty((len(self), 6), dtype="<f8")
        table[:, 0] = self.opened_ms  # milliseconds stay exact in a float64 until the year 287,000
        for i, column in enumerate(self.prices(), start=1):
            table[:, i] = column
        return table.tobytes()

    @staticmethod
    def from_bytes(data: bytes) -> "Candles":
        """Read-only columns over ``data``. Raises ValueError when it is no whole number of candles."""
        return _from_table(np.frombuffer(data, dtype="<f8").reshape(-1, 6))

    @staticmethod
    def from_rows(rows: Sequence[Sequence[float]]) -> "Candles":
        """From rows of (open time ms, open, high, low, close, volume), in the order given."""
        return _from_table(np.array(rows, dtype="<f8").reshape(-1, 6))


def _from_table(table: NDArray[np.float64]) -> Candles:
    columns = np.ascontiguousarray(table.T)
    return Candles(columns[0].astype(np.int64), *columns[1:])
