"""The market as one request is shown it: the real one, through the faults that the request met.

Orders meet the real market whatever is shown: a feed that lies does not move the exchange's own prices.
"""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from simexchange.amounts import to_decimal
from simexchange.endpoints.answers import kline_list
from simexchange.exchange import Call, Exchange
from simexchange.faults import lies
from simexchange.faults.corrupt import Kline, corrupt
from simexchange.faults.register import Active
from simexchange.market.candles import Rows
from simexchange.market.timeframes import floor_to

_MOST_HIDDEN = 1000  # candles fetched in place of hidden ones


class Shown:
    """Prices and candles of the moment, per request. A fault that changed any of it has struck, once."""

    def __init__(self, exchange: Exchange, call: Call) -> None:
        self._market, self._clock = exchange.market, exchange.clock
        self._wall_ms, self._now_ms = call.wall_ms, call.market_ms
        self._data = call.met.data
        self._struck: set[int] = set()

    def klines(self, symbol: str, length_ms: int, start_ms: int | None, end_ms: int | None, limit: int) -> list[Kline]:
        """Candles as ``Market.klines`` picks them, as they go over the wire."""
        active = [fault for fault in self._data if fault.fault.where.symbol in (None, symbol)]
        more = sum(self._hidden(fault, length_ms) for fault in active)
        rows = self._market.klines(symbol, length_ms, start_ms, end_ms, limit + more, self._now_ms)
        for fault in active:
            bent = self._bend(fault, symbol, length_ms, rows)
            if bent is not rows:
                self._strike(fault)
            rows = bent
        answer = kline_list(rows[-limit:] if start_ms is None else rows[:limit], length_ms)
        for fault in active:
            if fault.fault.kind == "corrupt" and answer:
                answer = corrupt(answer, fault.fault.params["shape"], fault.fault.params["row"])
                self._strike(fault)
        return answer

    def price_e8(self, symbol: str) -> int | None:
        """The last price, in 1e-8 quote; None before the first trade."""
        price = self._market.price_e8(symbol, self.price_ms(symbol))
        if price is None:
            return None
        factor = self._ticker_factor(symbol)
        tick_e8 = self._market.instrument(symbol).tick_e8
        return price if factor == 1 else int(lies.multiplied(np.array([price]), factor, tick_e8)[0])

    def average_price(self, symbol: str, minutes: int) -> Decimal | None:
        average = self._market.average_price(symbol, minutes, self.price_ms(symbol))
        factor = self._ticker_factor(symbol)
        if average is None or factor == 1:
            return average
        return to_decimal(int(average.scaleb(8) * Decimal(str(factor))))

    def day(self, symbol: str) -> Rows:
        """The last 24 hours as one row."""
        rows = self._market.day(symbol, self.price_ms(symbol))
        price = self.price_e8(symbol)
        return rows if price is None or self._ticker_factor(symbol) == 1 else lies.last_print(rows, price)

    def price_ms(self, symbol: str) -> int:
        """The market time whose prices are shown: now, or the moment at which the price was frozen."""
        for fault in self._of("frozen_price", symbol):
            if fault.fault.params["tickers"]:
                self._strike(fault)
                return self._opened_ms(fault)
        return self._now_ms

    def _ticker_factor(self, symbol: str) -> float:
        factor = 1.0
        for fault in self._of("spike", symbol):
            begin, end = self._spike_range(fault)
            if fault.fault.params["tickers"] and begin <= self._now_ms and (end is None or self._now_ms < end):
                factor *= fault.fault.params["factor"]
                self._strike(fault)
        return factor

    def _bend(self, active: Active, symbol: str, length_ms: int, rows: Rows) -> Rows:
        params = active.fault.params
        match active.fault.kind:
            case "missing_latest":
                delay_ms = params["delay_ms"] * self._clock.speed
                return lies.hide_latest(rows, length_ms, self._now_ms, delay_ms, params["open_too"])
            case "gap":
                return lies.hide_range(rows, params["from_market_ms"], params["to_market_ms"])
            case "frozen_price":
                return self._freeze(active, symbol, length_ms, rows)
            case "spike":
                tick_e8 = self._market.instrument(symbol).tick_e8
                return lies.spike(rows, length_ms, params["factor"], *self._spike_range(active), tick_e8)
        return rows

    def _freeze(self, active: Active, symbol: str, length_ms: int, rows: Rows) -> Rows:
        since_ms = self._opened_ms(active)
        price = self._market.price_e8(symbol, since_ms)
        if price is None:
            return rows
        begin = floor_to(since_ms, length_ms)
        then = self._market.klines(symbol, length_ms, begin, begin, 1, since_ms)
        return lies.freeze(rows, length_ms, since_ms, price, then, active.fault.params["volume"] == "keep")

    def _hidden(self, active: Active, length_ms: int) -> int:
        """At most so many candles will be hidden: ask for that many more."""
        params = active.fault.params
        if active.fault.kind == "missing_latest":
            return min(int(params["delay_ms"] * self._clock.speed // length_ms) + 2, _MOST_HIDDEN)
        if active.fault.kind == "gap":
            return min(int(params["to_market_ms"] - params["from_market_ms"]) // length_ms + 1, _MOST_HIDDEN)
        return 0

    def _spike_range(self, active: Active) -> tuple[int, int | None]:
        begin, end = active.fault.params["from_market_ms"], active.fault.params["to_market_ms"]
        return (self._opened_ms(active), None) if begin is None else (begin, end)

    def _opened_ms(self, active: Active) -> int:
        assert active.opened_ms is not None  # it would not have been met
        return self._clock.market_ms(active.opened_ms)

    def _of(self, kind: str, symbol: str) -> list[Active]:
        return [a for a in self._data if a.fault.kind == kind and a.fault.where.symbol in (None, symbol)]

    def _strike(self, active: Active) -> None:
        if active.id not in self._struck:
            self._struck.add(active.id)
            active.strike(self._wall_ms)
