"""Whatever fills, prices, days, people and restarts do: no approval breaks a limit, and nothing blocks an exit.

The limits are recomputed from fills, marks and capital (see limits.py), and what halts from the rows themselves.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from typing import ClassVar
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bots.lifecycle import IllegalTransition
from bots.models import Bot, BotStatus
from execution.capital import NotEnoughCash, book_capital
from execution.drive import drive, leave
from execution.marking import mark_all
from execution.models import Order, Position
from execution.portfolio import Pricing
from execution.states import LIVE_POSITION, PositionStatus
from execution.submit import Exit, Means, enter
from market.clock import Now
from market.clock_offset import Offset
from market.exchange import OutcomeUnknown
from market.live_prices import Price
from market.orders import OrderReport, OrderRequest, ReportStatus
from proof.database import Database
from risk import review
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.models import DeadMansSwitch, Halt, LimitChange
from risk.verdicts import Approved, Proposal, Refused
from tests.factories import SLOT_0, instrument, make_account, make_bot, now_at
from tests.fakes import Answer, ScriptedExecutor, fill, quote, raises, says
from tests.machines.limits import Peaks, account_equity, bot_equity, broken_by
from tests.machines.running import LONG, SEARCH, few
from tradingplatform import dead_man, kill_switch, limit_acts, operator
from tradingplatform.acting import By
from tradingplatform.thinning import thin

SYMBOLS = ("BTC/USDT", "BTC/USDT", "ETH/USDT", "ETH/USDT")
START = {"BTC/USDT": Decimal(60_000), "ETH/USDT": Decimal(3_000)}
SLOTS_A_DAY = 96
WHICH = st.integers(0, len(SYMBOLS) - 1)
ANSWERS = ("filled", "filled", "filled", "half", "refused", "unknown")
NO_PRICES = (Decimal("NaN"), Decimal("Infinity"), Decimal(0), Decimal(-1), Decimal(10**9))


class LimitsHold(RuleBasedStateMachine):
    """Four bots of two symbols on one account that is too small for all of them."""

    database: ClassVar[Database]
    approvals: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        self.database.reset()
        self.slot, self.prices = SLOT_0, dict(START)
        self.account = self.bots()[0].account
        self.executor = ScriptedExecutor(says(ReportStatus.REJECTED))
        self.peaks = Peaks(self._equity(), self._own(), self._own())

    @rule(
        which=WHICH,
        part=st.sampled_from(("0.24", "0.1", "0.3", "0.05")),
        answer=st.sampled_from(ANSWERS),
        lifted=st.sampled_from((True, True, False)),
    )
    def enters(self, which: int, part: str, answer: str, lifted: bool) -> None:
        """With a part of the bot's capital, sometimes more than it may; mostly after a person has lifted what stops."""
        if lifted:
            self.is_let_go_on()
        bot = self.bots()[which]
        price = self.prices[bot.symbol]
        normal = (bot.capital * Decimal(part) / price).quantize(Decimal("0.00001"))
        self.slot += 1
        self._look()
        verdict = self._enter(bot, self._wish(bot, normal, price), self._pricing(bot.symbol, price, price), answer)
        if isinstance(verdict, Approved):
            LimitsHold.approvals += 1
            order = Order.objects.get(bot=bot, decision__slot=self.slot)
            broken = broken_by(bot, order, normal, self.peaks)
            assert not broken, f"bot {bot.pk} was let enter and breaks: {broken}"

    @rule(which=WHICH, bad=st.sampled_from(NO_PRICES), what=st.sampled_from(("wish", "quote", "close")))
    def enters_at_no_price(self, which: int, bad: Decimal, what: str) -> None:
        bot = self.bots()[which]
        price = self.prices[bot.symbol]
        self.slot += 1
        wish = self._wish(bot, Decimal("0.001"), bad if what == "wish" else price)
        pricing = self._pricing(bot.symbol, bad if what == "close" else price, bad if what == "quote" else price)
        if what == "quote" and bad == Decimal(10**9):
            return  # a bid above what is asked forbids nothing
        assert isinstance(self._enter(bot, wish, pricing, "filled"), Refused)

    @rule(which=WHICH)
    def leaves(self, which: int) -> None:
        for position in self._open(self.bots()[which]):
            self.executor.on_submit = self._answer("filled")
            assert self._leave(position) == PositionStatus.CLOSED, "an exit was blocked"

    @rule(found=st.booleans())
    def is_told(self, found: bool) -> None:
        """What became of orders that nobody knew of."""
        self.executor.on_query = self._answer("filled") if found else says(ReportStatus.ABSENT)
        for position in Position.objects.filter(status__in=list(LIVE_POSITION)).order_by("pk"):
            drive(position.pk, self._means(position.symbol))
        self.executor.on_query = None

    @rule(symbol=st.sampled_from(tuple(START)), factor=st.sampled_from(("0.97", "1.03", "0.9", "1.1", "0.7", "3")))
    def price_moves(self, symbol: str, factor: str) -> None:
        self.prices[symbol] = (self.prices[symbol] * Decimal(factor)).quantize(Decimal("0.01"))
        self.slot += 1
        self._look()

    @rule()
    def day_passes(self) -> None:
        self.slot += SLOTS_A_DAY
        self.peaks.day_starts = self._own()
        self._look()

    @rule(amount=st.sampled_from(("5000", "-5000", "-1500", "300")))
    def capital_moves(self, amount: str) -> None:
        before = self._equity()
        with suppress(NotEnoughCash), transaction.atomic():
            book_capital(self.account, Decimal(amount), "a test", self.now())
        after = self._equity()
        if before > 0 and after > 0:
            self.peaks.account *= after / before

    @rule(which=WHICH, how=st.sampled_from(("pause", "bot", "account", "everything", "silence", "tighten")))
    def is_stopped(self, which: int, how: str) -> None:
        bot, by = self.bots()[which], self._by()
        with suppress(IllegalTransition, ValueError):
            match how:
                case "pause":
                    operator.pause_bot(bot, by)
                case "bot":
                    kill_switch.halt_bot(bot, by)
                case "account":
                    kill_switch.halt_account(self.account, by)
                case "everything":
                    kill_switch.halt_everything(by)
                case "silence":
                    DeadMansSwitch.objects.update(latched_at=self.now().wall_at)
                case "tighten":
                    limit_acts.change_limit(self.account, "max_exposure", "0.3", by)

    @rule()
    def is_let_go_on(self) -> None:
        by = self._by()
        kill_switch.resume_everything(by)
        if kill_switch.clear_account_halts(self.account, by):
            self.peaks.account = self._equity()
        with suppress(ValueError):
            dead_man.reset_switch(by)
        for bot in self.bots():
            with suppress(IllegalTransition):
                operator.reset_bot(bot, by)
                self.peaks.bots[bot.pk] = bot_equity(bot)
            with suppress(IllegalTransition):
                operator.resume_bot(Bot.objects.get(pk=bot.pk), by)

    @rule(days=st.sampled_from((0, 40)))
    def restarts_after_thinning(self, days: int) -> None:
        """Nothing that stops entries is forgotten, by a new process or by the thinning of what is old."""
        before = self._stops()
        self.slot += days * SLOTS_A_DAY
        thin(self.now(), 30)
        connection.close()
        assert self._stops() == before, "what stops entries has changed"
        if days:
            self.peaks.day_starts = self._own()
            self._look()

    @invariant()
    def peaks_are_kept(self) -> None:
        self.peaks.account = max(self.peaks.account, self._equity())
        self.peaks.bots = {pk: max(self.peaks.bots[pk], own) for pk, own in self._own().items()}

    def teardown(self) -> None:
        """With everything forbidden at once, all that is held can still be sold."""
        if sys.exc_info()[0] is not None:
            return
        self.is_told(True)
        for how in ("everything", "account", "silence", "tighten"):
            self.is_stopped(0, how)
        Bot.objects.update(status=BotStatus.HALTED)
        self.executor.on_submit = self._answer("filled")
        for position in Position.objects.filter(status=PositionStatus.OPEN):
            assert self._leave(position) == PositionStatus.CLOSED, "an exit was blocked"
        assert not Position.objects.filter(status__in=list(LIVE_POSITION)).exists()

    def bots(self) -> list[Bot]:
        """As a process that has just started finds them."""
        return list(Bot.objects.select_related("account__limits", "book", "limits").order_by("pk"))

    def now(self) -> Now:
        return now_at(self.slot)

    def _enter(self, bot: Bot, wish: Proposal, pricing: Pricing, answer: str) -> Approved | Refused:
        self.executor.on_submit = self._answer(answer)
        return enter(bot, wish, pricing, Grounds(self.slot), self.executor, self.now)

    def _leave(self, position: Position) -> PositionStatus:
        wish = Exit(ExitReason.STRATEGY, "enough", self.prices[position.symbol])
        return leave(position, wish, None, self._means(position.symbol))

    def _answer(self, answer: str) -> Answer:
        match answer:
            case "refused":
                return says(ReportStatus.REJECTED)
            case "unknown":
                return raises(OutcomeUnknown("no answer"))
        return lambda request, now: self._filled(request, now, Decimal("0.5") if answer == "half" else Decimal(1))

    def _filled(self, request: OrderRequest, now: Now, part: Decimal) -> OrderReport:
        """At the present price, or at the most that it may pay; what is not filled expires."""
        price = self.prices[request.symbol]
        price = price if request.worst_price is None else min(price, request.worst_price)
        amount = instrument(request.symbol).round_amount_down(request.amount * part)
        status = ReportStatus.FILLED if amount == request.amount else ReportStatus.EXPIRED
        return OrderReport(request.client_order_id, status, "x", (fill(request, str(price), now, amount),))

    def _means(self, symbol: str) -> Means:
        return Means(self.executor, self.now, instrument(symbol), lambda: self.prices[symbol])

    def _look(self) -> None:
        """As the guard does, while somebody is there."""
        present = {"last_checkin_at": self.now().wall_at, "high_water_at": self.now().wall_at}
        DeadMansSwitch.objects.filter(latched_at=None).update(**present)
        mark_all({symbol: Price(price, self.now().market_ms) for symbol, price in self.prices.items()}, self.now())
        self.peaks_are_kept()

    def _wish(self, bot: Bot, amount: Decimal, price: Decimal) -> Proposal:
        stop = price * Decimal("0.98") if price.is_finite() else Decimal(1)
        base, _, currency = bot.symbol.partition("/")
        names = (bot.pk, bot.account_id, self.slot, bot.symbol, base, currency)
        return Proposal(*names, amount, amount, price, stop, None, "drawn")

    def _pricing(self, symbol: str, close: Decimal, bid: Decimal) -> Pricing:
        at = quote(symbol, str(bid), self.now().market_ms)
        return Pricing(instrument(symbol), close, at, Offset(0, 0), 300_000)

    def _open(self, bot: Bot) -> list[Position]:
        return list(Position.objects.filter(bot=bot, status=PositionStatus.OPEN))

    def _equity(self) -> Decimal:
        return account_equity(self.account)

    def _own(self) -> dict[int, Decimal]:
        return {bot.pk: bot_equity(bot) for bot in self.bots()}

    def _stops(self) -> list[object]:
        reads: tuple[Callable[[], object], ...] = (
            lambda: list(Halt.objects.order_by("pk").values_list("pk", "cause", "cleared_at", "until", "closes")),
            lambda: list(DeadMansSwitch.objects.values_list("latched_at", "last_checkin_at", "timeout_s")),
            lambda: list(Bot.objects.order_by("pk").values_list("pk", "status")),
            lambda: list(LimitChange.objects.order_by("pk").values_list("pk", "applied_at")),
        )
        return [read() for read in reads]

    def _by(self) -> By:
        return By("operator", self.now(), "a test")


def raise_rows(database: Database) -> None:
    account = make_account("12000", now=now_at())
    for symbol in SYMBOLS:
        make_bot(account, symbol=symbol)
    database.keep()


def test_no_approval_breaks_a_limit_and_nothing_blocks_an_exit(database: Database) -> None:
    database.reset()
    raise_rows(database)
    LimitsHold.database = database
    run_state_machine_as_test(LimitsHold, settings=few(examples=12, steps=25))
    assert LimitsHold.approvals > 5, "hardly anything was let enter: nothing was shown"


LEFT_OUT = (
    "max_position",
    "drawdown",
    "daily_loss",
    "loss_streak",
    "total_exposure",
    "asset_concentration",
    "portfolio_drawdown",
    "max_order",
    "free_cash",
    "halts",
)


@pytest.mark.skipif(not LONG, reason="takes long: HYPOTHESIS_PROFILE=proof runs it")
@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_check_that_is_left_out_is_found(name: str, database: Database) -> None:
    database.reset()
    raise_rows(database)
    LimitsHold.database = database
    kept = tuple(check for check in review.CHECKS if check.name != name)
    with patch.object(review, "CHECKS", kept), pytest.raises(AssertionError):
        run_state_machine_as_test(LimitsHold, settings=SEARCH)
