"""Quotes, shared for a fraction of a second."""

from dataclasses import dataclass

import redis
import structlog

from market.candle_store import CandleStore
from market.exchange import ExchangeError, MarketData, Quote, Transient
from market.retry import retried
from market.single_flight import SingleFlight

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SharedQuotes:
    """One request per symbol and ``age_ms`` (wall milliseconds) for the whole fleet; failures are shared as well."""

    exchange: MarketData
    store: CandleStore
    flight: SingleFlight
    age_ms: int

    def quote(self, symbol: str, deadline_s: float) -> Quote:
        """The best prices. Raises Transient, Rejected, or redis.RedisError before anything was asked."""
        found = self.flight.run(
            f"{self.store.quote_key(symbol)}:lease",
            find=lambda: self.store.read_quote(symbol),
            work=lambda renew: self._asked(symbol, deadline_s),
            deadline_s=deadline_s,
        )
        if found is None:
            raise Transient(f"another process has been asking for a quote of {symbol} for too long")
        if isinstance(found, ExchangeError):
            raise found
        return found

    def _asked(self, symbol: str, deadline_s: float) -> Quote | ExchangeError:
        found: Quote | ExchangeError
        try:
            found = retried(lambda: self.exchange.fetch_quote(symbol), deadline_s)
        except ExchangeError as error:
            found = error
        try:
            self.store.keep_quote(symbol, found, self.age_ms)
        except redis.RedisError as error:
            log.warning("quote_not_shared", symbol=symbol, error=str(error))
        return found
