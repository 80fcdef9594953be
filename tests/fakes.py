"""Stand-ins for the outside world, which follow its rules: an exchange without HTTP, an executor with a script."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import numpy as np

from execution.executors import BaseExecutor
from market.candles import Candles
from market.clock import Clock, Now
from market.exchange import Quote, Transient
from market.instruments import Instrument
from market.orders import Fill, OrderReport, OrderRequest, ReportStatus


@dataclass
class FakeMarket:
    """An exchange in memory: the candles and quotes it was given, one request counted per call."""

    instrument_by_symbol: dict[str, Instrument]
    candles: dict[tuple[str, str], Candles] = field(default_factory=dict)
    quotes: dict[str, Quote] = field(default_factory=dict)
    id: str = "simulated"
    down: bool = False
    down_for_quotes: bool = False
    down_for_time: bool = False
    ahead_ms: int | None = None
    requests: int = 0

    def instruments(self) -> dict[str, Instrument]:
        return self.instrument_by_symbol

    def look_again(self) -> None:
        """What it has is what there is."""

    def fetch_candles(self, symbol: str, timeframe: str, since_ms: int | None, limit: int) -> Candles:
        self._count()
        rows = self.candles[symbol, timeframe]
        return rows[-limit:] if since_ms is None else rows.since(since_ms)[:limit]

    def fetch_quote(self, symbol: str) -> Quote:
        self._count()
        if self.down_for_quotes:
            raise Transient("no quotes now")
        return self.quotes[symbol]

    def fetch_prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        self._count()
        return {symbol: self.quotes[symbol].last for symbol in symbols if symbol in self.quotes}

    def fetch_time(self) -> int | None:
        self._count()
        if self.down_for_time:
            raise Transient("no time now")
        return None if self.ahead_ms is None else Clock().now().wall_ms + self.ahead_ms

    def _count(self) -> None:
        self.requests += 1
        if self.down:
            raise Transient("the exchange is down")


def quote(symbol: str, price: str, at_ms: int = 0) -> Quote:
    """A quote without a spread."""
    return Quote(symbol, Decimal(price), Decimal(price), Decimal(price), at_ms)


def candles_of(closes: list[float], last_slot: int, interval_s: int) -> Candles:
    """Candles of the given closes, the last one being the candle of ``last_slot``; open = previous close."""
    close = np.array(closes)
    opening = np.concatenate([close[:1], close[:-1]])
    opened = (np.arange(len(closes)) - len(closes) + 1 + last_slot) * interval_s * 1000
    high, low = np.maximum(opening, close), np.minimum(opening, close)
    return Candles(opened.astype(np.int64), opening, high, low, close, np.ones(len(closes)))


Answer = Callable[[OrderRequest, Now], OrderReport]


@dataclass
class ScriptedExecutor(BaseExecutor):
    """Answers submits and queries as told, and remembers what it was sent."""

    on_submit: Answer
    on_query: Answer | None = None
    on_cancel: Answer | None = None
    sent: list[OrderRequest] = field(default_factory=list)

    def submit(self, request: OrderRequest, now: Now) -> OrderReport:
        self.sent.append(request)
        return self.on_submit(request, now)

    def query(self, request: OrderRequest, sent: Now, now: Now) -> OrderReport:
        if self.on_query is None:
            raise Transient("no answer")
        return self.on_query(request, now)

    def cancel(self, request: OrderRequest, now: Now) -> OrderReport:
        if self.on_cancel is None:
            raise Transient("no answer")
        return self.on_cancel(request, now)


def fill(request: OrderRequest, price: str, now: Now, amount: Decimal | None = None, number: int = 1) -> Fill:
    """A fill of a request (all of it unless told otherwise) with a fee of 0.01 % in quote."""
    amount = request.amount if amount is None else amount
    fee = amount * Decimal(price) * Decimal("0.0001")
    quote_currency = request.symbol.partition("/")[2]
    at = now.market_at + timedelta(milliseconds=number)
    return Fill(f"{request.client_order_id}.{number}", Decimal(price), amount, fee, quote_currency, at)


def filled_at(price: str) -> Answer:
    """An executor's answer: all filled at a price."""

    def answer(request: OrderRequest, now: Now) -> OrderReport:
        return OrderReport(request.client_order_id, ReportStatus.FILLED, "x1", (fill(request, price, now),))

    return answer


def says(status: ReportStatus, reason: str = "") -> Answer:
    """An executor's answer: a status without a fill."""
    return lambda request, _: OrderReport(request.client_order_id, status, reason=reason)


def raises(error: Exception) -> Answer:
    """An executor's answer: an error."""

    def answer(request: OrderRequest, now: Now) -> OrderReport:
        raise error

    return answer
