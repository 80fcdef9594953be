"""Whatever people, prices, faults and restarts do together: what forbids entries does, and nothing forbids exits.

The real code from the tick down to ccxt, the simulated exchange's own code beneath it, and virtual time.
"""

import random
import sys
from collections.abc import Callable
from contextlib import ExitStack, suppress
from datetime import timedelta
from typing import Any, ClassVar

from django.db import connection
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bots import lifecycle
from bots.models import Bot, BotStatus
from bots.strategies.base import Action, Signal
from execution import chores, crash_points
from execution.lock import under_portfolio_lock
from execution.models import Position
from execution.states import LIVE_POSITION, PositionStatus
from market.candles import Candles
from market.clock import Now
from proof.actors import Actors
from proof.clock import VirtualClock
from proof.database import Database
from proof.faults import BY_NAME, KINDS
from proof.invariants import ALWAYS, AT_REST, Evidence, violations
from proof.world import SLOT_MS, START_MS, raise_fleet, wish, world
from risk.halts import raise_halt
from risk.models import DeadMansSwitch, Halt
from tests.machines.answers import Died
from tests.machines.forbidden import Forbidden
from tests.machines.running import few
from tradingplatform import dead_man, kill_switch, operator, tick
from tradingplatform.acting import By

SYMBOLS = ("BTCUSDT", "ETHUSDT")
ROUNDS = 30
WHICH = st.integers(0, 3)
WANTS = st.sampled_from((Action.ENTER, Action.EXIT))
STOPS = st.sampled_from((0.97, 0.995, 0.9))
FORBIDS = ("pause", "halt the bot", "halt the account", "silence")
LIFTS = ("everything", "everything", "pauses", "halts of bots", "halts of the account", "the switch", "check in")
MEANWHILE = st.sampled_from(("",) * 8 + FORBIDS)
FAULTS = st.none() | st.sampled_from(KINDS).map(lambda kind: kind.name)
DEATHS = st.sampled_from((0,) * 8 + (1, 2, 3, 5, 8, 13))


class Told:
    """A strategy that wants what the machine says."""

    longest_period = 1

    def __init__(self, machine: "Platform") -> None:
        self._machine = machine

    def evaluate(self, candles: Candles) -> Signal:
        return wish(self._machine.wants, candles, self._machine.stop)


class Platform(RuleBasedStateMachine):
    """Four bots on one live account, their operator, and the exchange."""

    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        self.database.reset()
        random.seed(0)  # what jitters in the platform
        self._left = ExitStack()
        self.clock = self._left.enter_context(VirtualClock(START_MS))
        self.wants, self.stop = Action.ENTER, 0.97
        self._moments, self._meanwhile = 0, ("", 0)
        self._had: set[object] = set()
        self._lifting = False

    @initialize(seed=st.integers(0, 30))
    def begins(self, seed: int) -> None:
        """Prices, depth of the books and the fee's currency belong to the seed."""
        made = world(seed, self.clock, strategy=lambda _: Told(self))
        self.world = self._left.enter_context(made)
        self.actors = Actors(self.world)
        self.bots = self.world.bots()
        self.forbidden = Forbidden(self.bots)
        crash_points.on_reached = self._reached
        self._left.callback(setattr, crash_points, "on_reached", None)
        for which in range(2):  # something is held before trouble begins
            self.ticks(which * 2, Action.ENTER, 0.97, 0, "", None)

    @rule(which=WHICH, wants=WANTS, stop=STOPS, dies=DEATHS, meanwhile=MEANWHILE, fault=FAULTS)
    def ticks(self, which: int, wants: Action, stop: float, dies: int, meanwhile: str, fault: str | None) -> None:
        """``meanwhile`` happens when the entry is decided and has not left."""
        self.wants, self.stop, self._meanwhile = wants, stop, (meanwhile, which)
        due = self.bots[which]
        if due not in self.actors.due():
            self.next_slot()
        self._goes_wrong(fault)
        self._act(dies, lambda: tick.run(self.actors._worker, due, self.world.now()), self.actors.start_worker)

    @rule(dies=DEATHS, fault=FAULTS)
    def reconciles(self, dies: int, fault: str | None) -> None:
        self._goes_wrong(fault)
        self._act(dies, self.actors.reconcile, self.actors.start_reconciler)

    @rule()
    def next_slot(self) -> None:
        self.clock.advance(SLOT_MS - self.clock.now_ms % SLOT_MS + 2_000)
        self.actors.reconcile()

    @rule(seconds=st.sampled_from((3, 20, 130, 400)))
    def time_passes(self, seconds: int) -> None:
        self.clock.advance(seconds * 1000)

    @rule(symbol=st.sampled_from(SYMBOLS), status=st.sampled_from(("BREAK", "TRADING")))
    def symbol_halts(self, symbol: str, status: str) -> None:
        self.world.venue.ask("POST", "/sim/symbols", symbol=symbol, status=status)

    @rule(what=st.sampled_from(FORBIDS), which=WHICH)
    def forbids(self, what: str, which: int) -> None:
        """Somebody or something lets a bot, or all of them, enter nothing."""
        bot, now = self._bot(which), self.world.now()
        match what:
            case "pause":
                with suppress(lifecycle.IllegalTransition):
                    operator.pause_bot(bot, self._by())
            case "halt the bot":
                under_portfolio_lock(bot.account_id, lambda _: _halted(bot, now))
            case "halt the account":
                account = self.world.account
                under_portfolio_lock(account.pk, lambda _: raise_halt(account, None, "a test", "halted", {}, now))
            case "silence":  # of a day, in one moment; the switch has triggered, whether anything looks or not
                long_ago = now.wall_at - timedelta(hours=25)
                DeadMansSwitch.objects.filter(latched_at=None).update(last_checkin_at=long_ago)

    @rule(what=st.sampled_from(LIFTS))
    def lifts(self, what: str) -> None:
        """A person lets them enter again: one thing, or all."""
        triggered = self._triggered()
        self._lifting = what != "check in"
        if what in ("halts of bots", "everything"):
            self._each_bot(operator.reset_bot)
        if what in ("halts of the account", "everything"):
            kill_switch.clear_account_halts(self.world.account, self._by())
        with suppress(ValueError):  # where the switch has not triggered, or has
            if what in ("the switch", "everything"):
                dead_man.reset_switch(self._by())
            if what == "check in":
                dead_man.check_in(self._by(), dead_man.challenge(self._by()).code)
                assert not triggered, "a check-in has reset the switch"
        if what in ("pauses", "everything"):  # a reset pauses: last
            self._each_bot(operator.resume_bot)

    @rule(which=WHICH)
    def is_closed_by_hand(self, which: int) -> None:
        with suppress(ValueError):
            operator.close_position(self._bot(which), self._by())

    @rule(everything=st.booleans())
    def restarts(self, everything: bool) -> None:
        """What forbids entries is the same afterwards."""
        connection.close()
        self.actors.start_worker()
        if everything:
            self.actors.start_reconciler()

    @invariant()
    def holds(self) -> None:
        self._judge(ALWAYS)

    def teardown(self) -> None:
        """Nothing goes wrong any more, and everything is forbidden: all comes to rest, and all can be sold."""
        try:
            if sys.exc_info()[0] is None and hasattr(self, "world"):
                self._end()
        finally:
            self._left.close()

    def _end(self) -> None:
        self.world.script.stop()
        for symbol in SYMBOLS:
            self.symbol_halts(symbol, "TRADING")
        self.clock.advance(130_000)
        self._come_to_rest()
        self._judge(AT_REST)
        for what in FORBIDS:
            for which in range(len(self.bots)):
                self.forbids(what, which)
        self.next_slot()
        for which in range(0, len(self.bots), 2):
            self.ticks(which, Action.EXIT, 0.97, 0, "", None)
        for which in range(1, len(self.bots), 2):
            self.is_closed_by_hand(which)
        still = Position.objects.filter(status=PositionStatus.OPEN)
        assert not still, f"{list(still)} were not let go"
        self._come_to_rest()
        self._judge(AT_REST)
        left = Position.objects.filter(status__in=list(LIVE_POSITION))
        assert not left, f"{list(left)} could not be closed"

    def _come_to_rest(self) -> None:
        quiet = 0
        for _ in range(ROUNDS):
            self.actors.reconcile()
            self.clock.advance(7_000)
            quiet = 0 if chores.unsettled() or chores.unprotected() else quiet + 1
            if quiet == 3:
                break
        self.clock.advance(70_000)
        self.actors.reconcile()

    def _goes_wrong(self, fault: str | None) -> None:
        if fault is not None:
            self.world.script.plan([(BY_NAME[fault], self.clock.now_ms)])

    def _act(self, dies: int, act: Callable[[], object], again: Callable[[], object]) -> None:
        """One process acts, perhaps to its death; another takes its place."""
        self._moments = dies
        try:
            act()
        except Died:
            connection.close()
            again()
        finally:
            self._moments, self._meanwhile = 0, ("", 0)

    def _reached(self, moment: str) -> None:
        self._moments -= 1
        if self._moments == 0:
            raise Died
        what, which = self._meanwhile
        if moment == "entry_intended" and what:
            self.forbids(what, which)
            self._look()

    def _judge(self, invariants: tuple[Any, ...]) -> None:
        self._look()
        venue = self.world.venue
        evidence = Evidence(self.world.account, venue, False, self.actors.notes, self.forbidden.spans())
        found = violations(evidence, invariants) + self.forbidden.broken_by(venue.orders())
        assert not found, found

    def _look(self) -> None:
        """What forbids entries is only ever lifted by a person's act that says so."""
        self.forbidden.look(self._now_ms(), self._triggered(), self.world.account.pk)
        has = self._forbids()
        assert self._lifting or self._had <= has, f"{self._had - has} was lifted by nobody"
        self._had, self._lifting = has, False

    def _forbids(self) -> set[object]:
        bots = Bot.objects.exclude(status=BotStatus.RUNNING).values_list("pk", flat=True)
        halts = Halt.objects.filter(cleared_at=None, until=None).values_list("pk", flat=True)  # the others just end
        switch = ["switch"] if self._triggered() else []
        return {*switch, *(("bot", pk) for pk in bots), *(("halt", pk) for pk in halts)}

    def _triggered(self) -> bool:
        """Read as a person would: by the row and the clock."""
        switch = DeadMansSwitch.objects.get(pk=DeadMansSwitch.SINGLETON)
        silent_s = (self.world.now().wall_at - switch.last_checkin_at).total_seconds()
        return switch.latched_at is not None or silent_s >= switch.timeout_s

    def _bot(self, which: int) -> Bot:
        return Bot.objects.select_related("account").get(pk=self.bots[which])

    def _each_bot(self, act: Callable[[Bot, By], object]) -> None:
        for which in range(len(self.bots)):
            with suppress(lifecycle.IllegalTransition):
                act(self._bot(which), self._by())

    def _by(self) -> By:
        return By("operator", self.world.now(), "a test")

    def _now_ms(self) -> int:
        return self.world.now().wall_ms


def _halted(bot: Bot, now: Now) -> None:
    """As a risk check does it."""
    if raise_halt(bot.account, bot, "a test", "halted by a test", {}, now):
        with suppress(lifecycle.IllegalTransition):
            lifecycle.halt(bot.pk, "halted by a test", now=now, actor="risk")


def test_what_forbids_entries_forbids_them_and_nothing_forbids_exits(database: Database) -> None:
    database.reset()
    raise_fleet(database)
    Platform.database = database
    run_state_machine_as_test(Platform, settings=few(examples=15, steps=25))
