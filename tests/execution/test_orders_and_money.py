"""From proposal to closed position: statuses, fills, totals and the identity of equity."""

import threading
from dataclasses import replace
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models.signals import post_save
from django.test.utils import CaptureQueriesContext

from bots.models import BotStatus
from execution.drive import drive, leave
from execution.executors import BaseExecutor
from execution.intents import request_of
from execution.models import AssetExposure, BotBook, Order, Portfolio, Position, Purpose, Trade
from execution.portfolio import Pricing
from execution.record import LostRace, record
from execution.states import LIVE_POSITION, IllegalMove, OrderStatus, PositionStatus
from execution.submit import Exit, Means, enter
from execution.totals import equity, free_cash
from market.clock import Now
from market.clock_offset import Offset
from market.exchange import OutcomeUnknown
from market.money import ZERO
from market.orders import OrderReport, ReportStatus
from notifications.models import Event
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.models import DeadMansSwitch, Decision, Halt, Outcome
from risk.verdicts import Approved, Proposal, Refused
from tests.factories import SLOT_0, instrument, make_account, make_bot, make_position, now_at
from tests.fakes import ScriptedExecutor, fill, filled_at, quote, raises, says

pytestmark = pytest.mark.django_db

NOW = now_at()


def proposal(bot, amount="0.01", price="60000", slot=SLOT_0, **changes):
    values = Proposal(
        bot_id=bot.pk,
        account_id=bot.account_id,
        slot=slot,
        symbol=bot.symbol,
        base=bot.symbol.partition("/")[0],
        quote="USDT",
        amount=Decimal(amount),
        normal_amount=Decimal(amount),
        reference_price=Decimal(price),
        stop_price=Decimal(price) * Decimal("0.98"),
        target_price=None,
        reason="a test",
    )
    return replace(values, **changes)


def pricing(symbol="BTC/USDT", close="60000", bid=None, at_ms=NOW.market_ms - 1000):
    at = quote(symbol, bid or close, at_ms)
    return Pricing(
        instrument(symbol), trusted_price=Decimal(close), quote=at, clock=Offset(0, 0), stale_after_ms=300_000
    )


def buy(bot, executor: BaseExecutor, now: Now = NOW, **changes):
    wish = proposal(bot, **changes)
    return enter(bot, wish, pricing(bot.symbol), Grounds(wish.slot), executor, lambda: now)


def sell(bot, executor: BaseExecutor, now: Now = NOW, price="61000", slot=None):
    position = Position.objects.get(bot=bot, status__in=list(LIVE_POSITION))
    wish = Exit(ExitReason.STRATEGY, "enough", Decimal(price))
    leave(position, wish, Grounds(slot or SLOT_0 + 1), means(executor, instrument(bot.symbol), now=now))


def means(executor: BaseExecutor, of=None, bid: str | None = None, now: Now = NOW) -> Means:
    return Means(executor, lambda: now, of or instrument(), lambda: Decimal(bid) if bid else None)


def settle(bot, executor) -> bool:
    """Whether nothing of the bot's position is open any more."""
    position = Position.objects.get(bot=bot)
    return drive(position.pk, means(executor)) not in (PositionStatus.OPENING, PositionStatus.CLOSING)


def check_totals(account):
    """Every running total is the sum over its rows, and equity agrees with cash + quantity x mark."""
    portfolio = Portfolio.objects.get(account=account)
    positions = list(Position.objects.filter(account=account))
    for name in ("realised", "fees", "cost", "unrealised", "reserved", "exposure"):
        assert getattr(portfolio, name) == sum((getattr(p, name) for p in positions), ZERO), name
    for book in BotBook.objects.filter(bot__account=account).select_related("bot"):
        mine = [p for p in positions if p.bot_id == book.bot_id]
        assert book.realised == sum((p.realised for p in mine), ZERO)
        assert book.unrealised == sum((p.unrealised for p in mine), ZERO)
    for asset in AssetExposure.objects.filter(portfolio=portfolio):
        mine = [p for p in positions if p.symbol.startswith(f"{asset.asset}/")]
        assert asset.exposure == sum((p.exposure for p in mine), ZERO)
    cash = portfolio.capital + sum(Trade.objects.filter(account=account).values_list("cash_change", flat=True), ZERO)
    worth = sum((p.quantity * p.mark_price for p in positions if p.quantity), ZERO)
    assert equity(portfolio) == cash + worth == portfolio.capital + portfolio.realised + portfolio.unrealised
    assert free_cash(portfolio) == cash - portfolio.reserved


def test_a_round_trip_is_exact():
    bot = make_bot()
    assert isinstance(buy(bot, ScriptedExecutor(filled_at("60012.34"))), Approved)
    position = Position.objects.get(bot=bot)
    assert position.status == PositionStatus.OPEN
    assert position.quantity == Decimal("0.01")
    assert position.entry_price == Decimal("60012.34")
    assert position.reserved == 0
    check_totals(bot.account)

    sell(bot, ScriptedExecutor(filled_at("61000")))
    position.refresh_from_db()
    assert position.status == PositionStatus.CLOSED
    assert position.exit_reason == ExitReason.STRATEGY
    assert position.realised == (Decimal("61000") - Decimal("60012.34")) * Decimal("0.01") - position.fees
    check_totals(bot.account)
    book = BotBook.objects.get(bot=bot)
    assert (book.wins, book.losses, book.loss_streak) == (1, 0, 0)
    decisions = list(Decision.objects.filter(bot=bot).order_by("slot").values_list("outcome", flat=True))
    assert decisions == [Outcome.APPROVED, Outcome.EXIT]
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == [
        "order_placed",
        "order_filled",
        "position_opened",
        "order_placed",
        "order_filled",
        "position_closed",
    ]


def test_a_losing_position_lengthens_the_streak():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    sell(bot, ScriptedExecutor(filled_at("59000")))
    book = BotBook.objects.get(bot=bot)
    assert (book.wins, book.losses, book.loss_streak) == (0, 1, 1)


def test_a_refusal_is_stored_with_every_check_and_nothing_is_sent():
    bot = make_bot()
    executor = ScriptedExecutor(filled_at("60000"))
    verdict = buy(bot, executor, stop_price=None)
    assert isinstance(verdict, Refused)
    assert not executor.sent
    assert not Order.objects.exists()
    decision = Decision.objects.get(bot=bot)
    assert (decision.outcome, decision.failed_check) == (Outcome.REFUSED, "stop_loss")
    assert [check["name"] for check in decision.checks][-8:] == [
        "stop_loss",
        "max_position",
        "drawdown",
        "daily_loss",
        "loss_streak",
        "total_exposure",
        "asset_concentration",
        "portfolio_drawdown",
    ]
    check_totals(bot.account)


@pytest.mark.parametrize("status", [BotStatus.PAUSED, BotStatus.HALTED, BotStatus.STOPPED])
def test_a_bot_stopped_since_the_tick_began_does_not_enter(status):
    bot = make_bot()
    type(bot).objects.filter(pk=bot.pk).update(status=status)
    verdict = buy(bot, ScriptedExecutor(filled_at("60000")))
    assert isinstance(verdict, Refused)
    assert verdict.check == "halts"


def test_missing_limits_and_missing_switch_refuse():
    bot = make_bot()
    bot.limits.delete()
    assert buy(bot, ScriptedExecutor(filled_at("60000"))).check == "limits"
    DeadMansSwitch.objects.all().delete()
    assert buy(bot, ScriptedExecutor(filled_at("60000")), slot=SLOT_0 + 1).check == "dead_mans_switch"


def test_a_drawdown_halts_the_bot():
    bot = make_bot()
    BotBook.objects.filter(bot=bot).update(realised=Decimal(-1100), day_start_equity=Decimal(3900))
    verdict = buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001")
    assert verdict.check == "drawdown"
    assert Halt.objects.get(bot=bot, cleared_at=None).cause == "drawdown"
    bot.refresh_from_db()
    assert bot.status == BotStatus.HALTED
    assert buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001", slot=SLOT_0 + 1).check == "halts"


@pytest.mark.parametrize(
    ("answer", "order_status", "position_status"),
    [
        (says(ReportStatus.REJECTED, "LOT_SIZE"), OrderStatus.REJECTED, PositionStatus.FLAT),
        (says(ReportStatus.EXPIRED), OrderStatus.EXPIRED, PositionStatus.FLAT),
        (says(ReportStatus.CANCELED), OrderStatus.CANCELED, PositionStatus.FLAT),
        (says(ReportStatus.NEW), OrderStatus.ACKED, PositionStatus.OPENING),
        (raises(OutcomeUnknown("timeout")), OrderStatus.UNKNOWN, PositionStatus.OPENING),
        (filled_at("60000"), OrderStatus.FILLED, PositionStatus.OPEN),
    ],
)
def test_what_an_answer_to_an_entry_makes_of_the_position(answer, order_status, position_status):
    bot = make_bot()
    buy(bot, ScriptedExecutor(answer))
    assert Order.objects.get(bot=bot).status == order_status
    position = Position.objects.get(bot=bot)
    assert position.status == position_status
    waiting = position_status is PositionStatus.OPENING
    assert position.reserved == (Decimal(600) if waiting else 0)
    check_totals(bot.account)


@pytest.mark.parametrize(
    ("answer", "position_status"),
    [
        (says(ReportStatus.REJECTED), PositionStatus.OPEN),
        (says(ReportStatus.EXPIRED), PositionStatus.OPEN),
        (raises(OutcomeUnknown("timeout")), PositionStatus.CLOSING),
        (filled_at("60000"), PositionStatus.CLOSED),
    ],
)
def test_what_an_answer_to_an_exit_makes_of_the_position(answer, position_status):
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    sell(bot, ScriptedExecutor(answer))
    assert Position.objects.get(bot=bot).status == position_status
    check_totals(bot.account)


def test_an_exit_that_failed_is_tried_again_under_a_new_name():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    sell(bot, ScriptedExecutor(says(ReportStatus.REJECTED)))
    sell(bot, ScriptedExecutor(filled_at("60000")), slot=SLOT_0 + 2)
    names = list(Order.objects.filter(purpose=Purpose.EXIT).order_by("pk").values_list("client_order_id", flat=True))
    assert len(set(names)) == 2
    assert Position.objects.get(bot=bot).status == PositionStatus.CLOSED


def test_a_partly_filled_entry_that_expires_is_open_with_what_it_has():
    bot = make_bot()

    def answer(request, now):
        half = fill(request, "60000", now, amount=Decimal("0.004"))
        return OrderReport(request.client_order_id, ReportStatus.EXPIRED, "x", (half,))

    buy(bot, ScriptedExecutor(answer))
    position = Position.objects.get(bot=bot)
    assert (position.status, position.quantity) == (PositionStatus.OPEN, Decimal("0.004"))
    check_totals(bot.account)


def test_fills_are_booked_once_whatever_the_order_and_repetition_of_reports():
    bot = make_bot()
    buy(bot, ScriptedExecutor(says(ReportStatus.NEW)))
    order = Order.objects.get(bot=bot)
    request = request_of(order)
    parts = [fill(request, price, NOW, Decimal("0.005"), n) for n, price in ((1, "60000"), (2, "60010"))]
    partial = OrderReport(order.client_order_id, ReportStatus.PARTIAL, "x", (parts[0],))
    full = OrderReport(order.client_order_id, ReportStatus.FILLED, "x", (parts[1], parts[0]))
    for report in (partial, partial, full, full):
        record(order, report, NOW)
        check_totals(bot.account)
    assert Trade.objects.count() == 2
    position = Position.objects.get(bot=bot)
    assert (position.status, position.entry_price) == (PositionStatus.OPEN, Decimal("60005"))


def test_an_impossible_answer_changes_nothing():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    order = Order.objects.get(bot=bot)
    with pytest.raises(IllegalMove):
        record(order, OrderReport(order.client_order_id, ReportStatus.REJECTED), NOW)
    assert Order.objects.get(bot=bot).status == OrderStatus.FILLED
    check_totals(bot.account)


@pytest.mark.parametrize(
    ("answer", "settled", "order_status", "position_status"),
    [
        (says(ReportStatus.ABSENT), True, OrderStatus.ABSENT, PositionStatus.FLAT),
        (filled_at("60000"), True, OrderStatus.FILLED, PositionStatus.OPEN),
        (says(ReportStatus.NEW), False, OrderStatus.ACKED, PositionStatus.OPENING),
        (None, False, OrderStatus.UNKNOWN, PositionStatus.OPENING),
    ],
)
def test_an_entry_whose_sender_died_is_asked_for_and_never_sent_again(answer, settled, order_status, position_status):
    bot = make_bot()
    with pytest.raises(SystemExit):  # the process dies in the call, nothing is recorded
        buy(bot, ScriptedExecutor(raises(SystemExit())))
    assert Order.objects.get(bot=bot).status == OrderStatus.SENT
    executor = ScriptedExecutor(filled_at("1"), answer)
    assert settle(bot, executor) is settled
    assert not executor.sent
    assert Order.objects.get(bot=bot).status == order_status
    assert Position.objects.get(bot=bot).status == position_status
    check_totals(bot.account)


def test_an_intent_that_was_never_sent_is_withdrawn():
    bot = make_bot()
    with pytest.raises(SystemExit):
        buy(bot, ScriptedExecutor(raises(SystemExit())))
    Order.objects.filter(bot=bot).update(status=OrderStatus.PREPARED)
    executor = ScriptedExecutor(filled_at("1"))
    assert settle(bot, executor)
    assert Order.objects.get(bot=bot).status == OrderStatus.CANCELED
    assert Position.objects.get(bot=bot).status == PositionStatus.FLAT
    check_totals(bot.account)


def test_a_halt_between_review_and_send_withdraws_the_entry():
    bot = make_bot()
    executor = ScriptedExecutor(filled_at("60000"))

    def halt(**_):
        type(bot).objects.filter(pk=bot.pk).update(status=BotStatus.HALTED)

    post_save.connect(halt, sender=Order, weak=False)
    try:
        buy(bot, executor)
    finally:
        post_save.disconnect(halt, sender=Order)
    assert not executor.sent
    assert Order.objects.get(bot=bot).status == OrderStatus.CANCELED
    assert Position.objects.get(bot=bot).status == PositionStatus.FLAT
    check_totals(bot.account)


def test_two_exits_at_once_make_one_order():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    sell(bot, ScriptedExecutor(raises(OutcomeUnknown("slow"))))
    second = ScriptedExecutor(filled_at("60000"))
    with pytest.raises(LostRace):
        sell(bot, second, slot=SLOT_0 + 2)
    assert not second.sent


@pytest.mark.parametrize(
    ("priced", "check"),
    [
        (pricing(close="55000"), "price_collar"),
        (pricing(bid="58000"), "stop_loss"),  # the stop of 58,800 would be hit at once
        (pricing(at_ms=NOW.market_ms - 300_001), "fresh_prices"),
    ],
)
def test_a_price_that_ran_away_is_refused(priced, check):
    bot = make_bot()
    executor = ScriptedExecutor(filled_at("60000"))
    assert enter(bot, proposal(bot), priced, Grounds(SLOT_0), executor, lambda: NOW).check == check
    assert not executor.sent


@pytest.mark.parametrize(
    "edit", [{"symbol": "ETH/USDT"}, {"timeframe": "1h"}, {"capital": Decimal(2500)}, {"parameters": {"period": 7}}]
)
def test_a_bot_edited_during_its_tick_does_not_enter(edit):
    bot = make_bot()
    type(bot).objects.filter(pk=bot.pk).update(**edit)
    verdict = buy(bot, ScriptedExecutor(filled_at("60000")))
    assert verdict.check == "halts"
    assert "edited during its tick" in verdict.reason


def test_what_is_too_little_to_sell_is_written_off():
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")))
    executor = ScriptedExecutor(filled_at("1"))
    position = Position.objects.get(bot=bot)
    # changed while 0.01 is held
    coarse = instrument(lot_step=Decimal("0.1"), min_amount=Decimal("0.1"), min_notional=Decimal(100))
    leave(position, Exit(ExitReason.STOP, "stop", Decimal(59000)), Grounds(SLOT_0 + 1), means(executor, coarse))
    assert not executor.sent
    position = Position.objects.get(bot=bot)
    assert (position.status, position.quantity, position.dust) == (PositionStatus.CLOSED, 0, Decimal("0.01"))
    assert position.realised == -Decimal(600) - position.fees
    assert BotBook.objects.get(bot=bot).losses == 1
    assert Event.objects.filter(kind="dust_written_off").exists()
    check_totals(bot.account)


@pytest.mark.parametrize(
    ("amount", "bid", "written_off"),
    [
        ("0.01", "400", False),  # worth 4, below the minimum of 5, but it cost 600: perhaps a bad print
        ("0.0001", "40000", True),  # cost 6, worth 4
        ("0.0001", "55000", False),
        ("0.0001", None, False),  # nobody knows what it is worth
    ],
)
def test_only_what_was_small_is_written_off_for_its_price(amount, bid, written_off):
    bot = make_bot()
    buy(bot, ScriptedExecutor(filled_at("60000")), amount=amount)
    executor = ScriptedExecutor(filled_at("55000"))
    wish = Exit(ExitReason.STOP, "stop", Decimal(400))
    leave(Position.objects.get(bot=bot), wish, Grounds(SLOT_0 + 1), means(executor, bid=bid))
    assert (not executor.sent) is written_off
    assert Position.objects.get(bot=bot).status == PositionStatus.CLOSED
    check_totals(bot.account)


def test_the_account_breaker_latches_whichever_check_refused_first():
    account = make_account("100000")
    bot = make_bot(account)
    Portfolio.objects.filter(account=account).update(realised=Decimal(-20_000))
    assert buy(bot, ScriptedExecutor(filled_at("60000")), stop_price=None).check == "stop_loss"
    assert Halt.objects.get(account=account, bot=None).cause == "portfolio_drawdown"


def test_the_lock_is_the_first_statement_of_the_gate():
    bot = make_bot()
    with CaptureQueriesContext(connection) as queries:
        buy(bot, ScriptedExecutor(filled_at("60000")))
    statements = [query["sql"] for query in queries if "SAVEPOINT" not in query["sql"] and "BEGIN" not in query["sql"]]
    assert statements[0].startswith('UPDATE "execution_portfolio" SET "lock_version"')


class TestTheDatabaseItself:
    """Constraints hold even against code that forgets."""

    def test_an_entry_needs_its_decision(self):
        bot = make_bot()
        buy(bot, ScriptedExecutor(filled_at("60000")))
        with pytest.raises(IntegrityError, match="entry_has_its_decision"), transaction.atomic():
            Order.objects.update(decision=None)

    def test_one_live_position_per_bot(self):
        bot = make_bot()
        buy(bot, ScriptedExecutor(filled_at("60000")))
        refused = buy(bot, ScriptedExecutor(filled_at("60000")), slot=SLOT_0 + 1)
        assert isinstance(refused, Refused)
        assert refused.check == "duplicate_signal"
        with pytest.raises(IntegrityError), transaction.atomic():
            make_position(bot, NOW.market_at)
        check_totals(bot.account)

    def test_a_fill_is_booked_once(self):
        bot = make_bot()
        buy(bot, ScriptedExecutor(filled_at("60000")))
        trade = Trade.objects.get()
        trade.pk = None
        with pytest.raises(IntegrityError), transaction.atomic():
            trade.save()

    def test_one_entry_order_per_position(self):
        bot = make_bot()
        buy(bot, ScriptedExecutor(filled_at("60000")))
        order = Order.objects.get()
        order.pk, order.client_order_id = None, "another"
        with pytest.raises(IntegrityError), transaction.atomic():
            order.save()


@pytest.mark.django_db(transaction=True)
def test_many_entering_at_once_cannot_together_pass_the_cap():
    """Room for 3 of 8: exactly 3 are approved, each by its own thread on its own connection."""
    account = make_account("10000")
    account.limits.max_exposure = Decimal("0.19")
    account.limits.max_asset = Decimal("0.9")
    account.limits.save()
    bots = [make_bot(account) for _ in range(8)]
    verdicts, barrier = [], threading.Barrier(len(bots))

    def one(bot):
        barrier.wait()
        try:
            verdicts.append(buy(bot, ScriptedExecutor(filled_at("60000"))))
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(bot,)) for bot in bots]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    approved = [verdict for verdict in verdicts if isinstance(verdict, Approved)]
    assert len(verdicts) == 8
    assert len(approved) == 3
    assert {verdict.check for verdict in verdicts if isinstance(verdict, Refused)} == {"total_exposure"}
    check_totals(account)
