"""What the market shows at one moment of market time: nothing of the future leaks through here."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

import numpy as np

from simexchange.amounts import E8, to_decimal
from simexchange.errors import parameter_errors
from simexchange.market.candles import CLOSE, EMPTY, OPEN_MS, QUOTE_VOLUME, VOLUME, Rows, aggregate
from simexchange.market.instruments import Instrument
from simexchange.market.listing_changes import ListingChanges
from simexchange.market.path import partial
from simexchange.market.timeframes import DAY_MS, MINUTE_MS, TIMEFRAMES, floor_to


class PriceSource(Protocol):
    """Where final candles come from: invented (``generated.py``) or recorded (``replay.py``)."""

    @property
    def instruments(self) -> dict[str, Instrument]: ...

    def base_ms(self, symbol: str) -> int:
        """Length of the symbol's shortest candles."""
        ...

    def rows(
        self, symbol: str, length_ms: int, start_ms: int, end_ms: int, limit: int, keep: Literal["first", "last"]
    ) -> Rows:
        """At most ``limit`` finished candles that open in ``[start_ms, end_ms)``."""
        ...


@dataclass(frozen=True)
class Market:
    """The market as a client may see it at a given moment."""

    source: PriceSource
    changes: ListingChanges = field(default_factory=ListingChanges)

    def instrument(self, symbol: str) -> Instrument:
        found = self.source.instruments.get(symbol)
        if found is None:
            raise parameter_errors.invalid_symbol()
        return self.changes.applied(found)

    def interval_ms(self, symbol: str, interval: str) -> int:
        """Length of a named interval; one that the symbol's candles cannot be added up to is -1120 too."""
        length = TIMEFRAMES.get(interval)
        if length is None or length % self.source.base_ms(symbol):
            raise parameter_errors.invalid_interval()
        return length

    def klines(
        self, symbol: str, length_ms: int, start_ms: int | None, end_ms: int | None, limit: int, now_ms: int
    ) -> Rows:
        """Candles by open time, both ends included, as Binance picks them: from ``start_ms`` on when it is given, else
        the latest. The last one is the unfinished candle if it falls in the range."""
        opening = floor_to(now_ms, length_ms)
        end = min(now_ms, now_ms if end_ms is None else end_ms)
        start = max(0, start_ms or 0)
        closed_end = min(opening, end + 1)
        keep: Literal["first", "last"] = "last" if start_ms is None else "first"
        closed = self.source.rows(symbol, length_ms, start, closed_end, limit, keep) if start < closed_end else EMPTY
        if not start <= opening <= end or (keep == "first" and len(closed) == limit):
            return closed
        unfinished = self._unfinished(symbol, length_ms, opening, now_ms)
        return np.concatenate((closed, unfinished))[-limit:]

    def _unfinished(self, symbol: str, length_ms: int, opening: int, now_ms: int) -> Rows:
        """The candle that is being made, or nothing if it has not traded yet."""
        return aggregate(self._base(symbol, opening, now_ms), length_ms)

    def _base(self, symbol: str, start_ms: int, now_ms: int) -> Rows:
        """The shortest candles from ``start_ms`` up to this moment, the last one cut off at it."""
        base = self.source.base_ms(symbol)
        rows = self.source.rows(symbol, base, start_ms, now_ms + 1, DAY_MS // MINUTE_MS + 1, "last")
        return self._cut(symbol, rows, base, now_ms)

    def _cut(self, symbol: str, rows: Rows, base: int, now_ms: int) -> Rows:
        if len(rows) == 0 or now_ms >= int(rows[-1, OPEN_MS]) + base:
            return rows
        rows = rows.copy()
        elapsed = (now_ms - int(rows[-1, OPEN_MS])) / base
        rows[-1] = partial(rows[-1], elapsed, self.source.instruments[symbol].tick_e8)
        return rows

    def finished(self, symbol: str, count: int, now_ms: int) -> Rows:
        """The shortest candles that have opened by now, as they will be once they are finished: they know the future,
        so what is shown of them must end now."""
        base = self.source.base_ms(symbol)
        return self.source.rows(symbol, base, 0, now_ms + 1, count, "last")

    def price_e8(self, symbol: str, now_ms: int) -> int | None:
        """Last traded price in 1e-8 quote; None before the symbol's first trade."""
        base = self.source.base_ms(symbol)
        rows = self._cut(symbol, self.source.rows(symbol, base, 0, now_ms + 1, 1, "last"), base, now_ms)
        return int(rows[-1, CLOSE]) if len(rows) else None

    def trading(self, symbol: str, now_ms: int) -> bool:
        """Whether the symbol has begun to trade and is not halted."""
        return not self.changes.halted(symbol) and self.price_e8(symbol, now_ms) is not None

    def average_price(self, symbol: str, minutes: int, now_ms: int) -> Decimal | None:
        """Volume-weighted price of the last minutes (of the last candle where candles are longer), in quote."""
        base = self.source.base_ms(symbol)
        rows = self._base(symbol, floor_to(now_ms - minutes * MINUTE_MS, base), now_ms)
        volume = int(rows[:, VOLUME].sum())
        if volume == 0:
            last = self.price_e8(symbol, now_ms)
            return None if last is None else to_decimal(last)
        return to_decimal(int(rows[:, QUOTE_VOLUME].sum()) * E8 // volume)

    def day(self, symbol: str, now_ms: int) -> Rows:
        """The last 24 hours as one row, to the resolution of the shortest candles; empty when nothing traded."""
        base = self.source.base_ms(symbol)
        rows = self._base(symbol, floor_to(now_ms - DAY_MS, base) + base, now_ms)
        return aggregate(_same_bucket(rows), DAY_MS)


def _same_bucket(rows: Rows) -> Rows:
    """The rows with one and the same open time, so that they add up to a single candle."""
    rows = rows.copy()
    rows[:, OPEN_MS] = 0
    return rows
