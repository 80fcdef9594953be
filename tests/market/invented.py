"""An exchange in memory whose every candle is a function of its open time, and whose troubles are told beforehand."""

from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from market.candles import Candles
from market.clock import Clock
from market.exchange import ExchangeError, Quote
from market.instruments import Instrument
from market.slots import interval_s

HOUR_MS = 3_600_000
SLOT = 480_000
"""A slot of the 1h timeframe in 2024, the one most tests decide in."""


def clock_at(market_ms: int) -> Clock:
    """Market time that stands (nearly) still at ``market_ms``, for tests that must not depend on how long they take."""
    wall_ms = Clock().now().wall_ms
    return Clock(origin_wall_ms=wall_ms, origin_market_ms=market_ms, speed=1e-9)


def candles_between(first_ms: int, last_ms: int, interval_ms: int) -> Candles:
    """Candles that opened from ``first_ms`` to ``last_ms``, both included."""
    opened = np.arange(first_ms, last_ms + 1, interval_ms, dtype=np.int64)
    close = 100 + (opened // interval_ms) % 97 / 10
    return Candles(opened, close - 0.5, close + 1, close - 1, close, np.full(len(opened), 5.0))


@dataclass
class InventedExchange:
    """Has published the candles that opened up to ``newest_ms``; gives at most ``page`` at once.

    ``troubles`` are raised by the next requests, one each (None lets one pass).
    """

    newest_ms: int
    oldest_ms: int = 0
    page: int = 1000
    publishes_at_request: int = 0
    missing_ms: frozenset[int] = frozenset()
    spoiled_ms: frozenset[int] = frozenset()
    spiked_ms: frozenset[int] = frozenset()
    future_ms: int | None = None
    troubles: deque[ExchangeError | None] = field(default_factory=deque)
    asked: list[tuple[str, str, int | None, int]] = field(default_factory=list)
    quotes_asked: int = 0
    prices_asked: list[list[str]] = field(default_factory=list)
    unpriced: frozenset[str] = frozenset()
    time_asked: int = 0
    ahead_ms: int | None = 0
    id: str = "invented"

    def look_again(self) -> None:
        """Nothing is ever halted here."""

    def instruments(self) -> dict[str, Instrument]:
        self._trouble()
        return {}

    def fetch_candles(self, symbol: str, timeframe: str, since_ms: int | None, limit: int) -> Candles:
        self.asked.append((symbol, timeframe, since_ms, limit))
        self._trouble()
        interval_ms = interval_s(timeframe) * 1000
        newest_ms = self.newest_ms
        if len(self.asked) < self.publishes_at_request:
            newest_ms -= 2 * interval_ms
        most = min(limit, self.page)
        first_ms = max(self.oldest_ms, newest_ms - (most - 1) * interval_ms if since_ms is None else since_ms)
        found = candles_between(first_ms, min(newest_ms, first_ms + (most - 1) * interval_ms), interval_ms)
        found.high[np.isin(found.opened_ms, list(self.spoiled_ms))] = np.nan
        for column in (found.high, found.close):
            column[np.isin(found.opened_ms, list(self.spiked_ms))] *= 10
        if self.future_ms is not None:
            found = found.merged(candles_between(self.future_ms, self.future_ms, interval_ms), most)
        there = np.flatnonzero(~np.isin(found.opened_ms, list(self.missing_ms)))
        return Candles(found.opened_ms[there], *(column[there] for column in found.prices()))

    def fetch_quote(self, symbol: str) -> Quote:
        self.quotes_asked += 1
        self._trouble()
        price = Decimal(self.quotes_asked)
        return Quote(symbol, price, price + 1, price, at_ms=self.newest_ms)

    def fetch_prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        self.prices_asked.append(sorted(symbols))
        self._trouble()
        return {symbol: Decimal(len(self.prices_asked)) for symbol in symbols if symbol not in self.unpriced}

    def fetch_time(self) -> int | None:
        self.time_asked += 1
        self._trouble()
        return None if self.ahead_ms is None else Clock().now().wall_ms + self.ahead_ms

    def _trouble(self) -> None:
        if self.troubles and (error := self.troubles.popleft()):
            raise error
