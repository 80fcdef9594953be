"""Between ticks: what has to be looked at although no bot is ticking. A small process of its own.

Every few seconds, from one request for all prices: open positions are marked, and whatever keeps the fleet from
trading on what it sees (candles or prices that are old, an exchange that does not answer, a clock that is off) is told
when it begins and when it ends. It asks for candles that are late, so that the end of an outage need not wait for a
bot's next tick.
"""

from collections.abc import Callable
from threading import Event

import redis
import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections
from django.db.models import Min, QuerySet

from bots.models import Bot, BotStatus
from execution.marking import mark_all, symbols_held
from market.clock import Now
from market.exchange import ExchangeError
from market.fetcher import DataFetcher, Price, Window
from market.slots import TIMEFRAMES, grace_ms, slot_at
from tradingplatform.conditions import review_clock, review_prices, review_stale_series, review_troubles
from tradingplatform.wiring import Platform

log = structlog.get_logger()

ROUND_S = 3.0  # wall time between two looks
PATIENCE_S = 2.0  # wall time that one question to the exchange may take
PRICE_MAX_AGE_MS = 15_000  # wall time after which a live price is no price any more

Series = tuple[str, str]


class Guard:
    """The loop. Survives a database, a Redis or an exchange that is away, and says so once."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._fetcher: DataFetcher = platform.new_fetcher(patience_s=PATIENCE_S)
        self._failing: set[str] = set()

    def run(self, stop: Event) -> None:
        """A round every few seconds until ``stop`` is set."""
        while not stop.is_set():
            for look in (self.prices, self.candles, self.exchange, self.clock):
                if not stop.is_set():
                    self._survive(look)
            stop.wait(ROUND_S)

    def prices(self, now: Now) -> None:
        """Mark what is open at live prices, and tell of symbols that have none."""
        symbols = set(_in_service().values_list("symbol", flat=True)) | symbols_held()
        if not symbols:
            return
        found = self._fetcher.prices(symbols)
        oldest_ms = now.market_ms - round(PRICE_MAX_AGE_MS * self._platform.clock.speed)
        young = {symbol: price for symbol, price in found.items() if price.at_ms >= oldest_ms}
        mark_all(self._exact(young))
        review_prices(self._platform.exchange.id, symbols - young.keys(), now)

    def candles(self, now: Now) -> None:
        """Tell of series whose newest candle nobody could have in time."""
        stale: dict[Series, Window] = {}
        rows = _in_service().order_by().values_list("symbol", "timeframe").annotate(first_s=Min("stagger_s"))
        for symbol, timeframe, first_s in rows:
            interval_s = TIMEFRAMES[timeframe]
            patient_ms = now.market_ms - first_s * 1000 - grace_ms(interval_s, self._platform.clock.speed)
            due = slot_at(patient_ms, interval_s)
            window = self._fetcher.known_candles(symbol, timeframe, due)
            if not window.fresh:  # it is asked for up to this moment: the ticks of this slot need not ask again
                self._fetcher.closed_candles(symbol, timeframe, slot_at(now.market_ms, interval_s))
                window = self._fetcher.known_candles(symbol, timeframe, due)
            if not window.fresh:
                stale[symbol, timeframe] = window
        review_stale_series(stale, now)

    def exchange(self, now: Now) -> None:
        """Tell of limits, bans and outages."""
        review_troubles(self._platform.exchange.id, self._platform.access.troubles(), now)

    def clock(self, now: Now) -> None:
        """Tell of clocks that are too far apart."""
        try:
            offset = self._fetcher.clock_offset()
        except ExchangeError:
            return  # an exchange that does not answer is told of above, and the gate denies without its clock
        review_clock(self._platform.exchange.id, offset, now)

    def _exact(self, prices: dict[str, Price]) -> dict[str, Price]:
        """Prices of symbols that are still listed, on their tick."""
        listed = self._platform.instruments()
        return {
            symbol: Price(listed[symbol].round_price(price.price), price.at_ms)
            for symbol, price in prices.items()
            if symbol in listed
        }

    def _survive(self, look: Callable[[Now], None]) -> None:
        """One look; what fails is said once, and once that it works again."""
        name = look.__name__
        try:
            close_old_connections()
            look(self._platform.clock.now())
        except (DatabaseError, InterfaceError, redis.RedisError, ExchangeError) as error:
            if name not in self._failing:
                log.error("guard_failed", look=name, error=f"{type(error).__name__}: {error}")
            self._failing.add(name)
        else:
            if name in self._failing:
                log.info("guard_works_again", look=name)
            self._failing.discard(name)


def _in_service() -> QuerySet[Bot]:
    return Bot.objects.exclude(status=BotStatus.STOPPED)
