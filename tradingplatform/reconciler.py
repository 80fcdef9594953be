"""The reconciler: sees to what is held whenever no tick does. A process of its own.

Every second: orders of which nobody knows what became are asked for, live positions without a stop are protected, and
a stop that was reached is enforced where the exchange did not do it. Every minute an account's books are compared with
the exchange's. A few hands work at once, so that an exchange that is slow about one position keeps no other waiting.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from decimal import Decimal
from functools import partial
from threading import Event, local

import structlog
from django.db import close_old_connections

from bots.models import ExchangeAccount, Mode
from execution import chores, clean
from execution.chores import Chore, Watched
from execution.reconcile import reconcile_account
from market.exchange import ExchangeError, OrderDesk
from tradingplatform.errands import at_the_stop, see_to
from tradingplatform.heartbeats import RECONCILER, beat
from tradingplatform.key_check import review_key
from tradingplatform.lasting import NOT_RECONCILED, STUCK, UNPROTECTED, Lasting, stuck_text, unprotected_text
from tradingplatform.means import means_of
from tradingplatform.wiring import Platform

log = structlog.get_logger()

# All times are wall time, in seconds.
ROUND_S = 1.0
AGAIN_S = 3.0  # between two looks at a position that does not come to rest
COMPARE_S = 60.0  # between two comparisons of an account
COMPARE_SOON_S = 5.0  # the same, while orders of before the start are not settled
KEY_S = 3600.0  # between two looks at what an API key may do
NAKED_S = 5.0  # how long a position may be without a stop before it is told
STUCK_S = 120.0  # how long it may take until it is known what became of an order
APART_S = 60.0  # how long an account may be kept from entering by its comparison
PRICE_MAX_AGE_S = 15.0
PULSE_S = 10.0  # between two heartbeats
HANDS, STOP_HANDS = 4, 2  # stops that were reached do not queue behind anything else


class Reconciler:
    """The loop. Survives a database or an exchange that is away, and says so once.

    ``new_platform`` makes what each hand trades with: connections are not shared between threads.
    """

    def __init__(self, new_platform: Callable[[], Platform]) -> None:
        self._new_platform = new_platform
        self._begun = False
        self._own = local()
        self._hands = ThreadPoolExecutor(HANDS, thread_name_prefix="hand")
        self._stop_hands = ThreadPoolExecutor(STOP_HANDS, thread_name_prefix="stop-hand")
        self._busy: dict[object, Future[object]] = {}
        self._not_before: dict[object, float] = {}
        self._unprotected = Lasting(UNPROTECTED, NAKED_S, unprotected_text)
        self._stuck = Lasting(STUCK, STUCK_S, stuck_text)
        self._apart = Lasting(NOT_RECONCILED, APART_S, str)
        self._reached_since: dict[int, float] = {}
        self._key_due: dict[int, float] = {}
        self._pulse_due_s = 0.0
        self._failing: set[str] = set()

    def run(self, stop: Event) -> None:
        """A round every second until ``stop`` is set; what is under way is finished."""
        while not stop.is_set():
            self.round()
            stop.wait(ROUND_S)
        for hands in (self._hands, self._stop_hands):
            hands.shutdown(wait=True, cancel_futures=True)

    def begin(self) -> None:
        """The platform starts: no live account enters before it was found clean, and none is compared before."""
        for account in ExchangeAccount.objects.filter(mode=Mode.LIVE):
            clean.begin(account, self._platform.clock.now())
        self._begun = True

    def round(self) -> None:
        """One look at everything; what has to be done is handed out."""
        if not self._begun:
            self._survive("begin", self.begin)
        for look in (self.settle, self.watch, self.compare, self.pulse):
            self._survive(look.__name__, look)

    def settle(self) -> None:
        """Orders whose outcome is open, positions on their way, and positions without a stop."""
        naked, unsettled = chores.unprotected(), chores.unsettled()
        for chore in {chore.position_id: chore for chore in [*unsettled, *naked]}.values():
            self._hand_out(chore.position_id, AGAIN_S, partial(self._see_to, chore))
        self._unprotected.look({chore.position_id: chore for chore in naked}, self._platform.clock.now())
        self._stuck.look({chore.position_id: chore for chore in unsettled}, self._platform.clock.now())

    def watch(self) -> None:
        """Enforce stops that were reached."""
        held = chores.watched()
        symbols = {watched.chore.symbol for watched in held}
        if not symbols:
            self._reached_since.clear()
            return
        now_ms, speed = self._platform.clock.now().market_ms, self._platform.clock.speed
        prices = {
            symbol: price.price
            for symbol, price in self._platform.fetcher.prices(symbols).items()
            if abs(now_ms - price.at_ms) <= PRICE_MAX_AGE_S * 1000 * speed
        }
        reached = [each for each in held if (p := prices.get(each.chore.symbol)) is not None and p <= each.stop_price]
        ids = {each.chore.position_id for each in reached}
        self._reached_since = {pk: since for pk, since in self._reached_since.items() if pk in ids}
        for each in reached:
            self._at_stop(each, prices[each.chore.symbol])

    def compare(self) -> None:
        """Every live account's books with the exchange's, now and then."""
        if not self._begun:
            return
        accounts = list(ExchangeAccount.objects.filter(mode=Mode.LIVE))
        for account in accounts:
            pause_s = COMPARE_SOON_S if clean.is_unsettled(account) else COMPARE_S
            self._hand_out(("account", account.pk), pause_s, partial(self._compare, account))
        now = self._platform.clock.now()
        reasons = {account.name: clean.why_not_clean(account, now) for account in accounts}
        self._apart.look({name: reason for name, reason in reasons.items() if reason}, now)

    def pulse(self) -> None:
        """Say that it is alive, now and then."""
        if time.monotonic() >= self._pulse_due_s:
            beat(RECONCILER, self._platform.clock.now())
            self._pulse_due_s = time.monotonic() + PULSE_S

    @property
    def _platform(self) -> Platform:
        """This thread's own."""
        if not hasattr(self._own, "platform"):
            self._own.platform = self._new_platform()
        platform: Platform = self._own.platform
        return platform

    def _see_to(self, chore: Chore) -> None:
        if not see_to(self._platform, chore):
            self._not_before.pop(chore.position_id, None)  # a tick is at it: look again at once

    def _at_stop(self, watched: Watched, price: Decimal) -> None:
        since = self._reached_since.setdefault(watched.chore.position_id, time.monotonic())
        act = partial(self._enforce, watched, price, time.monotonic() - since)
        self._hand_out(watched.chore.position_id, ROUND_S, act, urgent=True)

    def _enforce(self, watched: Watched, price: Decimal, reached_for_s: float) -> None:
        at_the_stop(self._platform, watched, price, reached_for_s)

    def _compare(self, account: ExchangeAccount) -> None:
        platform = self._platform
        desk, means = platform.desk(account), partial(means_of, platform, account)
        self._review_key(account, desk)
        try:
            problem = reconcile_account(account, desk, means, platform.clock.now, lambda: time.sleep(1))
        except ExchangeError as error:
            log.warning("not_reconciled", account=account.name, error=str(error))
            return
        if problem:
            log.warning("not_clean", account=account.name, problem=problem)

    def _review_key(self, account: ExchangeAccount, desk: OrderDesk) -> None:
        """At the start and every hour: a key that has come to be allowed too much halts its account."""
        if time.monotonic() < self._key_due.get(account.pk, 0.0):
            return
        if problem := review_key(account, desk, self._platform.clock.now()):
            log.error("key_problem", account=account.name, problem=problem)
        self._key_due[account.pk] = time.monotonic() + KEY_S

    def _hand_out(self, key: object, pause_s: float, act: Callable[[], object], *, urgent: bool = False) -> None:
        """Give an errand to a free hand, one at a time for each key, and not again before the pause is over."""
        now_s = time.monotonic()
        under_way = self._busy.get(key)
        if (under_way is not None and not under_way.done()) or (not urgent and now_s < self._not_before.get(key, 0.0)):
            return
        self._not_before[key] = now_s + pause_s
        hands = self._stop_hands if urgent else self._hands
        self._busy[key] = hands.submit(self._survive, f"errand {key}", act)
        self._forget()

    def _forget(self) -> None:
        """What is done and over need not be remembered."""
        now_s = time.monotonic()
        self._busy = {key: errand for key, errand in self._busy.items() if not errand.done()}
        # A list first: hands take keys out meanwhile.
        self._not_before = {key: at_s for key, at_s in list(self._not_before.items()) if at_s > now_s}

    def _survive(self, name: str, act: Callable[[], object]) -> None:
        """One act; what fails is said once, and once that it works again."""
        try:
            close_old_connections()
            act()
        except Exception as error:  # whatever it is, everything else goes on
            if name not in self._failing:
                log.exception("reconciler_failed", act=name, error=f"{type(error).__name__}: {error}")
            self._failing.add(name)
        else:
            if name in self._failing:
                log.info("reconciler_works_again", act=name)
            self._failing.discard(name)
