"""The reconciler: sees to what is held whenever no tick does. A process of its own.

Every second: orders of which nobody knows what became are asked for, live positions without a stop are protected,
stops and targets that were reached are enforced, on paper and wherever the exchange did not do it, and what a halt
closes is sold. Every few seconds balances are looked at, for what the exchange sold by itself. Every minute an
account's books are compared with the exchange's. A few hands work at once, so that an exchange that is slow about one
position keeps no other waiting.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from threading import Event, local

import structlog
from django.db import close_old_connections

from bots.models import ExchangeAccount, Mode
from execution import chores, clean
from execution.chores import Chore
from execution.closing import Closing, closing_halts, next_to_close
from execution.drift import Drift
from execution.reconcile import look_for_fills, reconcile_account
from market.exchange import ExchangeError, OrderDesk
from tradingplatform.conditions import review_closing
from tradingplatform.errands import close_down, see_to, take_exit
from tradingplatform.event_kinds import NOT_RECONCILED, STUCK, UNPROTECTED
from tradingplatform.exit_watch import ExitWatch, Reached
from tradingplatform.heartbeats import RECONCILER, beat
from tradingplatform.key_check import review_key
from tradingplatform.lasting import Lasting, stuck_text, unprotected_text
from tradingplatform.means import means_of
from tradingplatform.wiring import Platform

log = structlog.get_logger()

# All times are wall time, in seconds.
ROUND_S = 1.0
AGAIN_S = 3.0  # between two looks at a position that does not come to rest
# Between two looks at any account's balances while orders rest at the exchange, however many accounts there are: each
# look weighs 20 and is as urgent as an exit, and must not use up what exits need.
FILLS_S = 3.0
COMPARE_S = 60.0  # between two comparisons of an account
COMPARE_SOON_S = 5.0  # the same, while orders of before the start are not settled
LATER_S = 30.0  # before what could not be sold under a halt, or not be looked at, has its turn again
KEY_S = 3600.0  # between two looks at what an API key may do
NAKED_S = 5.0  # how long a position may be without a stop before it is told
STUCK_S = 120.0  # how long it may take until it is known what became of an order
APART_S = 60.0  # how long an account may be kept from entering by its comparison
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
        # Of its own: accounts that are slow to tell their balances must not keep what protects and sells waiting.
        self._look_hand = ThreadPoolExecutor(1, thread_name_prefix="look-hand")
        self._busy: dict[object, Future[object]] = {}
        self._not_before: dict[object, float] = {}
        self._put_off: dict[int, float] = {}
        self._unprotected = Lasting(UNPROTECTED, NAKED_S, unprotected_text)
        self._stuck = Lasting(STUCK, STUCK_S, stuck_text)
        self._apart = Lasting(NOT_RECONCILED, APART_S, str)
        self._exits = ExitWatch()
        self._moved: dict[int, list[Drift]] = {}
        self._key_due: dict[int, float] = {}
        self._pulse_due_s = 0.0
        self._failing: set[str] = set()

    def run(self, stop: Event) -> None:
        """A round every second until ``stop`` is set; what is under way is finished."""
        while not stop.is_set():
            self.round()
            stop.wait(ROUND_S)
        for hands in (self._hands, self._stop_hands, self._look_hand):
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
        for look in (self.settle, self.watch, self.close_down, self.look_for_fills, self.compare, self.pulse):
            self._survive(look.__name__, look)

    def settle(self) -> None:
        """Orders whose outcome is open, positions on their way, and positions without a stop."""
        naked, unsettled = chores.unprotected(), chores.unsettled()
        for chore in {chore.position_id: chore for chore in [*unsettled, *naked]}.values():
            self._hand_out(chore.position_id, AGAIN_S, partial(self._see_to, chore))
        self._unprotected.look({chore.position_id: chore for chore in naked}, self._platform.clock.now())
        self._stuck.look({chore.position_id: chore for chore in unsettled}, self._platform.clock.now())

    def watch(self) -> None:
        """Take the exits that live prices call for: stops where the exchange does not, and targets."""
        for reached in self._exits.look(self._platform, chores.watched()):
            self._hand_out_stop(reached.watched.chore.position_id, partial(self._take_exit, reached))

    def close_down(self) -> None:
        """Sell what halts sell: at most one new exit a second for each account, the largest exposure first."""
        now = self._platform.clock.now()
        halts = closing_halts(now)
        review_closing(halts, now)
        now_s = time.monotonic()
        self._put_off = {pk: until_s for pk, until_s in list(self._put_off.items()) if until_s > now_s}
        for closing in next_to_close(halts, now, self._put_off.keys()):
            # At once: what has no stop is seen to every few seconds, and would never have its turn.
            self._hand_out(closing.chore.position_id, ROUND_S, partial(self._close_down, closing), at_once=True)

    def look_for_fills(self) -> None:
        """Balances of live accounts for which orders rest at the exchange."""
        accounts = list(ExchangeAccount.objects.filter(mode=Mode.LIVE, pk__in=chores.guarded_accounts()))
        for account in accounts:
            look = partial(self._look_for_fills, account)
            self._give(self._look_hand, ("fills", account.pk), FILLS_S * len(accounts), look, at_once=False)

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

    def _take_exit(self, reached: Reached) -> None:
        take_exit(self._platform, reached)

    def _close_down(self, closing: Closing) -> None:
        """What cannot be tried, or fails, is put off: it would be the next one again each second, and no other."""
        position_id = closing.chore.position_id
        self._put_off[position_id] = time.monotonic() + LATER_S
        if close_down(self._platform, closing):
            self._put_off.pop(position_id, None)

    def _look_for_fills(self, account: ExchangeAccount) -> None:
        platform = self._platform
        known = self._moved.get(account.pk, [])
        try:
            means = partial(means_of, platform, account)
            self._moved[account.pk] = look_for_fills(account, platform.desk(account), means, known)
        except ExchangeError as error:
            log.debug("balances_not_seen", account=account.name, error=str(error))  # the comparison tells it
            self._not_before["fills", account.pk] = time.monotonic() + LATER_S

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

    def _hand_out(self, key: object, pause_s: float, act: Callable[[], object], *, at_once: bool = False) -> None:
        """Give an errand to a free hand, one at a time for each key, and not again before the pause is over."""
        self._give(self._hands, key, pause_s, act, at_once)

    def _hand_out_stop(self, key: object, act: Callable[[], object]) -> None:
        """The same for an exit that the price calls for: it waits for no pause and queues behind nothing else, not
        behind what else is to be done about its position either. The bot's lease keeps the two apart."""
        self._give(self._stop_hands, ("stop", key), ROUND_S, act, at_once=True)

    def _give(
        self, hands: ThreadPoolExecutor, key: object, pause_s: float, act: Callable[[], object], at_once: bool
    ) -> None:
        now_s = time.monotonic()
        under_way = self._busy.get(key)
        if (under_way is not None and not under_way.done()) or (not at_once and now_s < self._not_before.get(key, 0.0)):
            return
        self._not_before[key] = now_s + pause_s
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
