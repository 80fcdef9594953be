"""Whatever an exchange answers, and whenever the process dies: the rows tell the truth, and come to rest.

Rows only: no HTTP, and time passes when a rule says so. What the exchange does and what is heard of it is drawn, each
by itself.
"""

import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from bots.models import Bot
from execution import crash_points
from execution.drive import ask, drive, leave
from execution.lock import under_portfolio_lock
from execution.marking import mark
from execution.models import Order, Position, Purpose
from execution.portfolio import Pricing
from execution.record import LostRace, record
from execution.states import LIVE_POSITION, TERMINAL_ORDER, IllegalMove, OrderStatus, PositionStatus
from execution.submit import Exit, Means, decide_exit, enter
from market.clock import Now
from market.clock_offset import Offset
from market.orders import ReportStatus
from proof.database import Database
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.models import BotRiskLimits
from risk.verdicts import Proposal
from tests.factories import SLOT_0, freshly_marked, instrument, make_account, make_bot, now_at
from tests.fakes import quote
from tests.machines import rows
from tests.machines.answers import PARTS, Died, DrawnExecutor
from tests.machines.running import few
from tests.machines.truth import Known, Truth

T = TypeVar("T")

ROUNDS = 8
"""After so many looks, with all answers given, everything rests."""

BOTS = st.integers(0, 1)
DEATHS = st.sampled_from((0, 0, 0, 1, 2, 3, 4, 5, 7, 9))
"""The how-manieth crash point of an act is its end; 0: none is."""


def raise_bots(database: Database) -> None:
    """Two bots of one symbol on one account, which no series of losses stops."""
    account = make_account(now=now_at())
    for _ in range(2):
        bot = make_bot(account)
        loose = {"streak_losses": 1000, "max_daily_loss": Decimal("0.99"), "max_drawdown": Decimal("0.99")}
        BotRiskLimits.objects.filter(bot=bot).update(**loose)
    database.keep()


def holds(machine: "OrderLife") -> bool:
    return bool(machine.live)


class OrderLife(RuleBasedStateMachine):
    """The rows of two bots, and an exchange."""

    database: ClassVar[Database]

    def __init__(self) -> None:
        super().__init__()
        self.database.reset()
        self.bots = list(Bot.objects.select_related("account", "book", "limits").order_by("pk"))
        self.account = self.bots[0].account
        self.truth = Truth()
        self.executor = DrawnExecutor(self.truth)
        self.wall_ms = now_at().wall_ms
        self.slot = SLOT_0
        self.instrument = instrument()
        self.ended: dict[int, tuple[object, ...]] = {}
        self.live: dict[int, int] = {}  # positions by bot
        self._moments, self._interrupt = 0, 0

    @precondition(lambda self: len(self.live) < len(self.bots))
    @rule(data=st.data(), which=BOTS, amount=st.sampled_from(("0.01", "0.0042", "0.0002")), dies=DEATHS)
    def enters(self, data: Any, which: int, amount: str, dies: int) -> None:
        free = [bot for bot in self.bots if bot.pk not in self.live]
        bot, price = free[which % len(free)], self.executor.price
        self.slot += 1
        wish = _proposal(bot, self.slot, Decimal(amount), price)
        priced = Pricing(self.instrument, price, quote(bot.symbol, str(price), self.wall_ms), Offset(0, 0), 300_000)
        freshly_marked(self.account, self.now())
        self._act(data, dies, lambda: enter(bot, wish, priced, Grounds(self.slot), self.executor, self.now))

    @precondition(holds)
    @rule(data=st.data(), which=BOTS, dies=DEATHS, interrupt=st.sampled_from((0, 0, 1, 2, 3)))
    def driven(self, data: Any, which: int, dies: int, interrupt: int) -> None:
        self._interrupt = interrupt
        self._act(data, dies, lambda: drive(self._live(which).pk, self.means()))

    @precondition(holds)
    @rule(data=st.data(), which=BOTS, dies=DEATHS, graded=st.booleans())
    def leaves(self, data: Any, which: int, dies: int, graded: bool) -> None:
        self.slot += graded
        grounds = Grounds(self.slot) if graded else None
        self._act(data, dies, lambda: leave(self._live(which), self._wish(), grounds, self.means()))

    @precondition(holds)
    @rule(which=BOTS)
    def closed_by_hand(self, which: int) -> None:
        with suppress(LostRace):
            decide_exit(self._live(which), self._wish(), None, self.now())

    @rule(data=st.data())
    def compared(self, data: Any) -> None:
        """Orders that rest by our books are asked for, by somebody who holds no lease."""
        for order in self._resting():
            self._act(data, 0, lambda order=order: ask(order, self.means()))

    @precondition(lambda self: any(order.open for order in self.truth.orders.values()))
    @rule(data=st.data(), part=st.sampled_from(PARTS))
    def executed(self, data: Any, part: Decimal) -> None:
        self.executor.pick = _picker(data)
        self.executor.execute(_one(data, self._open()), part, self.now())

    @precondition(lambda self: any(order.open for order in self.truth.orders.values()))
    @rule(data=st.data())
    def ended_by_the_exchange(self, data: Any) -> None:
        self.truth.end(_one(data, self._open()), ReportStatus.EXPIRED)

    @precondition(lambda self: any(order.open and not order.fills for order in self.truth.orders.values()))
    @rule(data=st.data())
    def forgotten(self, data: Any) -> None:
        """A backup is restored at the exchange: what rested there is gone."""
        self.truth.forget(_one(data, [order for order in self._open() if not order.fills]))

    @precondition(lambda self: self.truth.orders)
    @rule(data=st.data())
    def told_again(self, data: Any) -> None:
        """Any report of the past: what it tells is known already, or it cannot follow what is known."""
        order = _one(data, list(self.truth.orders.values()))
        row = Order.objects.get(client_order_id=order.request.client_order_id)
        if row.status != OrderStatus.PREPARED:
            with suppress(IllegalMove):
                record(row, _one(data, order.reports), self.now())

    @rule(seconds=st.sampled_from((1, 3, 5, 13, 31, 100)))
    def time_passes(self, seconds: int) -> None:
        self.wall_ms += seconds * 1000
        self.executor.arrive(self.now())

    @rule(step=st.sampled_from(("0.00001", "0.0001", "0.001", "0.004")))
    def step_changes(self, step: str) -> None:
        self.instrument = instrument(lot_step=Decimal(step), min_amount=Decimal(step))

    @rule(price=st.sampled_from((60_000, 59_000, 61_000, 20_000)), which=BOTS)
    def price_moves(self, price: int, which: int) -> None:
        self.executor.price, at = Decimal(price), self.now().market_at
        if self.live:
            pk = self._live(which).pk
            under_portfolio_lock(self.account.pk, lambda locked: mark(locked, pk, Decimal(price), at))

    @invariant()
    def the_rows_tell_the_truth(self) -> None:
        self.truth.require_sound()
        rows.check(self.truth, self.account)
        self._what_has_ended_stays_as_it_is()
        live = Position.objects.filter(status__in=list(LIVE_POSITION)).order_by("bot")
        self.live = dict(live.values_list("bot", "pk"))

    def _what_has_ended_stays_as_it_is(self) -> None:
        columns = ("pk", "status", "filled", "filled_cost", "finished_at", "exchange_order_id")
        ended = Order.objects.filter(status__in=list(TERMINAL_ORDER)).values_list(*columns)
        now = {row[0]: row for row in ended}
        for pk, row in self.ended.items():
            assert now.get(pk) == row, f"order {row} has ended, and is {now.get(pk)} now"
        self.ended = now

    def teardown(self) -> None:
        """Everything answers now: all comes to rest, and can be closed."""
        if sys.exc_info()[0] is not None:
            return
        self.executor.pick = None
        self.instrument = instrument()
        self._come_to_rest()
        for position in Position.objects.filter(status=PositionStatus.OPEN):
            leave(position, self._wish(), None, self.means())
        self._come_to_rest()
        left = Position.objects.filter(status__in=list(LIVE_POSITION))
        assert not left, f"{list(left)} could not be closed"

    def _come_to_rest(self) -> None:
        for order in self._open():
            if order.request.price is None:  # at the market nothing rests
                self.truth.end(order, ReportStatus.EXPIRED)
        for _ in range(ROUNDS):
            self.time_passes(31)
            for order in self._resting():
                ask(order, self.means())
            for position in Position.objects.filter(status__in=list(LIVE_POSITION)):
                drive(position.pk, self.means())
        self.the_rows_tell_the_truth()
        for position in Position.objects.filter(status__in=list(LIVE_POSITION)):
            self._require_rest(position)

    def _require_rest(self, position: Position) -> None:
        assert position.status == PositionStatus.OPEN, f"{position} does not come to rest"
        unfinished = position.orders.exclude(status__in=list(TERMINAL_ORDER))
        sellable = self.instrument.round_amount_down(position.quantity)
        if self.instrument.is_dust(position.quantity, position.stop_price * Decimal("0.98")):
            return
        stop = unfinished.get()
        there = self.truth.orders[stop.client_order_id]
        assert stop.purpose == Purpose.STOP
        assert there.open
        assert there.rest == sellable, f"{position}: the stop is for {there.rest} of {sellable}"

    def _act(self, data: Any, dies: int, act: Callable[[], object]) -> None:
        """One process acts, perhaps to its death."""
        self._moments, self.executor.stale = dies, False
        self.executor.pick = self._pick = _picker(data)
        crash_points.on_reached = self._reached
        interrupted = self._interrupt
        try:
            act()
        except (Died, LostRace):
            pass
        except IllegalMove:
            assert self.executor.stale or interrupted, "a true answer was not possible"
        finally:
            crash_points.on_reached = None
            self._interrupt = 0

    def _reached(self, _: str) -> None:
        self._moments -= 1
        if self._moments == 0:
            raise Died
        self._interrupt -= 1
        if self._interrupt == 0:
            self._somebody_else_acts()

    def _somebody_else_acts(self) -> None:
        self.executor.something_happens(self.now())
        if self._pick("who", ("compared", "closed by hand")) == "closed by hand":
            self.closed_by_hand(self._pick("which", (0, 1)))
            return
        for order in self._resting():
            with suppress(IllegalMove, LostRace):
                ask(order, self.means())

    def now(self) -> Now:
        return Now(self.wall_ms, self.wall_ms)

    def means(self) -> Means:
        return Means(self.executor, self.now, self.instrument, lambda: self.executor.price)

    def _live(self, which: int) -> Position:
        return Position.objects.get(pk=list(self.live.values())[which % len(self.live)])

    def _open(self) -> list[Known]:
        return [order for order in self.truth.orders.values() if order.open]

    def _resting(self) -> list[Order]:
        resting = Order.objects.filter(status__in=[OrderStatus.ACKED, OrderStatus.PARTIAL])
        return list(resting.order_by("pk"))

    def _wish(self) -> Exit:
        return Exit(ExitReason.STRATEGY, "enough", self.executor.price)


def _one(data: Any, options: Sequence[T]) -> T:
    """By its place, which reads well in a falsifying example."""
    return options[data.draw(st.integers(0, len(options) - 1))]


def _picker(data: Any) -> Callable[[str, Sequence[T]], T]:
    return lambda what, options: data.draw(st.sampled_from(list(options)), label=what)


def _proposal(bot: Bot, slot: int, amount: Decimal, price: Decimal) -> Proposal:
    return Proposal(
        bot_id=bot.pk,
        account_id=bot.account_id,
        slot=slot,
        symbol=bot.symbol,
        base="BTC",
        quote="USDT",
        amount=amount,
        normal_amount=amount,
        reference_price=price,
        stop_price=price * Decimal("0.98"),
        target_price=None,
        reason="drawn",
    )


def test_whatever_happens_to_orders_the_rows_tell_it(database: Database) -> None:
    database.reset()
    raise_bots(database)
    OrderLife.database = database
    run_state_machine_as_test(OrderLife, settings=few(examples=60, steps=25))
