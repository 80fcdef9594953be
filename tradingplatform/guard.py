"""Between ticks: what has to be looked at although no bot is ticking. A small process of its own.

Every few seconds, from one request for all prices: what is held is marked and the breakers are measured, and whatever
keeps the fleet from trading on what it sees (candles or prices that are old, an exchange that does not answer, a clock
that is off) is told when it begins and when it ends. It asks for candles that are late, so that the end of an outage
need not wait for a bot's next tick. Stops and targets are the reconciler's (see reconciler.py).
"""

import time
from collections.abc import Callable, Sequence
from threading import Event

import structlog
from django.db import close_old_connections, transaction
from django.db.models import Min

from execution.day_start import accounts_with_a_new_day, open_days
from execution.lock import under_portfolio_lock
from market.clock import Now
from market.exchange import ExchangeError
from market.fetcher import DataFetcher, Window
from market.slots import TIMEFRAMES, grace_ms, slot_at
from risk.halts import end_by_clock
from tradingplatform.conditions import (
    review_clock,
    review_stale_series,
    review_troubles,
)
from tradingplatform.guarding.prices import PriceLook, in_service
from tradingplatform.vigil import Vigil
from tradingplatform.wiring import Platform

log = structlog.get_logger()

ROUND_S = 3.0  # wall time between two looks
PATIENCE_S = 2.0  # wall time after which one question to the exchange is not asked again
ASKING_S = 3.0  # wall time that one look may spend on asking for candles, before its last question

Series = tuple[str, str]


class Guard:
    """The loop. Survives a database, a Redis or an exchange that is away, and says so once."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._fetcher: DataFetcher = platform.new_fetcher(patience_s=PATIENCE_S)
        self._failing: set[str] = set()
        self._stop = Event()
        self._turn = 0
        self._prices = PriceLook(platform, self._fetcher)
        self._vigil = Vigil()

    def run(self, stop: Event) -> None:
        """A round every few seconds until ``stop`` is set."""
        self._stop = stop
        while not stop.is_set():
            for look in (self.switch, self.days, self.prices, self.halts, self.exchange, self.clock, self.candles):
                if not stop.is_set():
                    self._survive(look)
            stop.wait(ROUND_S)

    def switch(self, now: Now) -> None:
        """The dead man's switch, also while no beat rings for it."""
        self._vigil.look(now)

    def prices(self, now: Now) -> None:
        """Value what is held, measure the breakers, tell of symbols without a price."""
        self._prices.look(now)

    def days(self, now: Now) -> None:
        """Begin the UTC day of every bot, also while there is no price to be had."""
        for account_id in accounts_with_a_new_day(now):
            under_portfolio_lock(account_id, lambda portfolio: open_days(portfolio, now))

    def halts(self, now: Now) -> None:
        """Write down which halts are over by their own time. (The gate knows by itself.)"""
        with transaction.atomic():
            end_by_clock(now)

    def candles(self, now: Now) -> None:
        """Tell of series whose newest candle nobody could have in time, and ask for them.

        A look asks for a few seconds only, and the next one goes on where it ended: marks must not wait for an exchange
        that answers slowly. What was not asked for is neither told nor told to be over.
        """
        rows = list(in_service().order_by().values_list("symbol", "timeframe").annotate(first_s=Min("stagger_s")))
        until_s = time.monotonic() + ASKING_S
        windows: dict[Series, Window | None] = {}
        for symbol, timeframe, first_s in _from(rows, self._turn):
            late_ms = first_s * 1000 + grace_ms(TIMEFRAMES[timeframe], self._platform.clock.speed)
            due = slot_at(now.market_ms - late_ms, TIMEFRAMES[timeframe])
            window: Window | None = self._fetcher.known_candles(symbol, timeframe, due)
            if window is not None and not window.fresh:
                window = self._asked(symbol, timeframe, due, now) if self._may_ask(until_s) else None
            windows[symbol, timeframe] = window
        review_stale_series(windows, now)

    def _may_ask(self, until_s: float) -> bool:
        return not self._stop.is_set() and time.monotonic() < until_s

    def _asked(self, symbol: str, timeframe: str, due: int, now: Now) -> Window:
        """After asking for all up to this moment: the ticks of this slot need not ask again then."""
        self._turn += 1
        self._fetcher.closed_candles(symbol, timeframe, slot_at(now.market_ms, TIMEFRAMES[timeframe]))
        return self._fetcher.known_candles(symbol, timeframe, due)

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

    def _survive(self, look: Callable[[Now], None]) -> None:
        """One look; what fails is said once, and once that it works again."""
        name = look.__name__
        try:
            close_old_connections()
            look(self._platform.clock.now())
        except Exception as error:  # whatever it is, the other looks go on: nobody else marks what is held
            if name not in self._failing:
                log.exception("guard_failed", look=name, error=f"{type(error).__name__}: {error}")
            self._failing.add(name)
        else:
            if name in self._failing:
                log.info("guard_works_again", look=name)
            self._failing.discard(name)


def _from(rows: Sequence[tuple[str, str, int]], turn: int) -> Sequence[tuple[str, str, int]]:
    """All rows, beginning with another one each turn."""
    first = turn % len(rows) if rows else 0
    return [*rows[first:], *rows[:first]]
