"""One call per symbol and timeframe for the whole fleet, one for all prices, one for the exchange's clock.

Bots of every process share what is fetched through Redis. The first one that misses a candle asks for it, and only for
it; the others wait a few milliseconds and read. Trouble with the exchange is an answer (a window that says how old it
is), not an exception; trouble with Redis means asking alone.
"""

import time
from collections.abc import Callable, Collection
from typing import TypeVar

import redis

from market.candle_store import CandleStore
from market.clock import Clock
from market.clock_offset import Offset
from market.exchange import ExchangeError, MarketData, Quote
from market.exchange_clock import ExchangeClock, measure
from market.instruments import Instrument
from market.live_prices import LivePrices, Price
from market.redis_health import RedisHealth
from market.refresh import up_to_date
from market.retry import retried
from market.shared_candles import SharedCandles
from market.shared_quotes import SharedQuotes
from market.single_flight import LEASE_MS, SingleFlight
from market.window import KEPT, NOTHING, Wanted, Window

__all__ = ["DataFetcher", "Offset", "Price", "Window"]

T = TypeVar("T")


class DataFetcher:
    """Closed candles, quotes, live prices and the clock of one exchange.

    ``namespace`` separates exchanges (and markets) in one Redis. Made after fork, one per process; ``client`` must
    return bytes and have a socket timeout. Everything here is wall time: ``patience_s`` bounds a call (plus the one
    request that it cannot interrupt), ``lease_ms`` how long a process that died can keep the others waiting, the ages
    how old what is shared may be. ``on_offset`` hears how far the exchange's clock is ahead of ours (milliseconds),
    whenever it was measured here.
    """

    def __init__(
        self,
        exchange: MarketData,
        client: redis.Redis,
        clock: Clock,
        namespace: str,
        *,
        patience_s: float = 8.0,
        lease_ms: int = LEASE_MS,
        quote_age_ms: int = 250,
        prices_age_ms: int = 2_000,
        clock_age_ms: int = 30_000,
        on_offset: Callable[[int], None] = lambda ahead_ms: None,
        health: RedisHealth | None = None,
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._patience_s = patience_s
        store, flight = CandleStore(client, namespace), SingleFlight(client, lease_ms)
        self._time = ExchangeClock(exchange, client, namespace, flight, clock_age_ms, on_offset)
        self._candles = SharedCandles(exchange, clock, store, flight, self._time)
        self._quotes = SharedQuotes(exchange, store, flight, quote_age_ms)
        self._prices = LivePrices(exchange, clock, client, namespace, flight, prices_age_ms)
        self._redis = health or RedisHealth()

    def closed_candles(self, symbol: str, timeframe: str, slot: int, count: int = KEPT) -> Window:
        """The last ``count`` (at most 1000) candles that had closed when ``slot`` began; see Window.

        A series seen for the first time has 999. Trouble with the exchange or with Redis never raises: the window is
        not fresh then, and says why. Raises ValueError for an unknown timeframe, a bad count, or a slot that lies more
        than one interval in the future.
        """
        wanted = Wanted(symbol, timeframe, slot, count)
        if self._clock.now().market_ms < wanted.expected_ms:
            raise ValueError(f"slot {slot} of {timeframe} lies in the future of market time")
        return self._shared_or_alone(
            lambda deadline_s: self._candles.window(wanted, deadline_s),
            lambda deadline_s: up_to_date(self._exchange, self._clock, wanted, NOTHING, deadline_s).window(wanted),
        )

    def known_candles(self, symbol: str, timeframe: str, slot: int) -> Window:
        """The same without asking the exchange: what the fleet knows. Raises redis.RedisError."""
        return self._candles.known(Wanted(symbol, timeframe, slot, KEPT))

    def quote(self, symbol: str) -> Quote:
        """The best prices, at most ``quote_age_ms`` old. Raises Transient or Rejected."""
        return self._shared_or_alone(
            lambda deadline_s: self._quotes.quote(symbol, deadline_s),
            lambda deadline_s: retried(lambda: self._exchange.fetch_quote(symbol), deadline_s),
        )

    def prices(self, symbols: Collection[str]) -> dict[str, Price]:
        """The last price of each symbol that ever had one, with its time: ``prices_age_ms`` old, or the last known.

        Never raises: what could not be had at all is left out.
        """
        return self._shared_or_alone(
            lambda deadline_s: self._prices.read(symbols, deadline_s),
            lambda deadline_s: self._prices_alone(symbols, deadline_s),
        )

    def clock_offset(self) -> Offset:
        """How far the exchange's clock is from ours, measured at most ``clock_age_ms`` ago. Raises Transient or
        Rejected when it cannot be told."""
        return self._shared_or_alone(self._time.offset, lambda deadline_s: measure(self._exchange, deadline_s))

    def instruments(self) -> dict[str, Instrument]:
        """All spot symbols by unified name, as this process knows them. Raises Transient or Rejected."""
        return retried(self._exchange.instruments, self._deadline_s())

    def _prices_alone(self, symbols: Collection[str], deadline_s: float) -> dict[str, Price]:
        at_ms = self._clock.now().market_ms
        try:
            found = retried(lambda: self._exchange.fetch_prices(symbols), deadline_s)
        except ExchangeError:
            return {}
        return {symbol: Price(price, at_ms) for symbol, price in found.items()}

    def _deadline_s(self) -> float:
        return time.monotonic() + self._patience_s

    def _shared_or_alone(self, shared: Callable[[float], T], alone: Callable[[float], T]) -> T:
        """Through Redis; without it, straight from the exchange. Both are given a deadline of their own."""
        if self._redis.usable():
            try:
                found = shared(self._deadline_s())
            except redis.RedisError as error:
                self._redis.lost(error)
            else:
                self._redis.works()
                return found
        return alone(self._deadline_s())
