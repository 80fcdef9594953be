"""Rows and prices that cannot be true: the real gate denies, says why, and nothing else happens.

What the database's constraints would refuse is written past them: a restored backup or somebody's SQL does so too.
"""

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.db.models import Model

from bots.models import Bot, BotStatus
from execution.drive import leave
from execution.models import AssetExposure, BotBook, Order, Portfolio, Position
from execution.portfolio import Pricing
from execution.states import PositionStatus
from execution.submit import Exit, Means, enter
from market.clock_offset import Offset
from notifications.models import Event
from risk.decisions import Grounds
from risk.exits import ExitReason
from risk.models import BotRiskLimits, DeadMansSwitch, Decision, Halt, Outcome, PortfolioRiskLimits
from risk.verdicts import Proposal, Refused
from tests.factories import SLOT_0, freshly_marked, instrument, make_bot, now_at
from tests.fakes import ScriptedExecutor, filled_at, quote

pytestmark = pytest.mark.django_db

PRICE = D(60_000)
FRACTIONS = ("-0.1", "0", "1", "1.5", "NaN", "Infinity", "a quarter", "")
"""What a limit cannot be: negative, nothing, everything, more than that, or no number."""


def proposal(bot: Bot, **changes: Any) -> Proposal:
    values = Proposal(
        bot_id=bot.pk,
        account_id=bot.account_id,
        slot=SLOT_0,
        symbol=bot.symbol,
        base="BTC",
        quote="USDT",
        amount=D("0.01"),
        normal_amount=D("0.01"),
        reference_price=PRICE,
        stop_price=PRICE * D("0.98"),
        target_price=None,
        reason="a test",
    )
    return replace(values, **changes)


def pricing(**changes: Any) -> Pricing:
    at = quote("BTC/USDT", str(PRICE), now_at().market_ms - 1_000)
    return replace(Pricing(instrument(), PRICE, at, Offset(0, 0), 300_000), **changes)


def attempt(bot: Bot, priced: Pricing | None = None, **changes: Any) -> tuple[Any, ScriptedExecutor]:
    wish, executor = proposal(bot, **changes), ScriptedExecutor(filled_at(str(PRICE)))
    bot = Bot.objects.select_related("account", "book").get(pk=bot.pk)
    return enter(bot, wish, priced or pricing(), Grounds(SLOT_0), executor, now_at), executor


def write_past_constraints(model: type[Model], values: dict[str, str], **where: int) -> None:
    """An UPDATE that no field and no constraint looks at. SQLite only: PostgreSQL keeps what it was told."""
    if connection.vendor != "sqlite":
        pytest.skip("the database's own constraints refuse this")
    table = model._meta.db_table
    columns = ", ".join(f"{name} = %s" for name in values)
    conditions = " AND ".join(f"{name} = %s" for name in where)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE {table} SET {columns} WHERE {conditions}", [*values.values(), *where.values()])
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


def require_denied(bot: Bot, verdict: Any, executor: ScriptedExecutor, *checks: str) -> None:
    """Refused by one of these checks, in a row and in an event; nothing sent, nothing reserved, nothing held."""
    assert isinstance(verdict, Refused)
    assert verdict.check in checks
    decision = Decision.objects.get(bot=bot)
    assert (decision.outcome, decision.failed_check) == (Outcome.REFUSED, verdict.check)
    assert decision.reason
    assert Event.objects.filter(kind="risk_refused", bot_id=bot.pk).count() == 1
    assert not executor.sent
    assert not Order.objects.exists()
    assert not Position.objects.exists()


@pytest.mark.parametrize("value", FRACTIONS)
@pytest.mark.parametrize("name", ["max_exposure", "max_asset", "max_drawdown", "max_order", "price_collar"])
def test_a_limit_of_the_account_that_makes_no_sense(name: str, value: str) -> None:
    bot = make_bot()
    write_past_constraints(PortfolioRiskLimits, {name: value}, account_id=bot.account_id)
    require_denied(bot, *attempt(bot), "limits")


@pytest.mark.parametrize("value", FRACTIONS)
@pytest.mark.parametrize("name", ["max_position", "max_drawdown", "max_daily_loss", "streak_floor"])
def test_a_limit_of_the_bot_that_makes_no_sense(name: str, value: str) -> None:
    bot = make_bot()
    write_past_constraints(BotRiskLimits, {name: value}, bot_id=bot.pk)
    require_denied(bot, *attempt(bot), "limits")


@pytest.mark.parametrize("value", ["0", "-1"])
@pytest.mark.parametrize("name", ["streak_losses", "max_orders_per_minute"])
def test_a_count_that_makes_no_sense(name: str, value: str) -> None:
    bot = make_bot()
    write_past_constraints(BotRiskLimits, {name: value}, bot_id=bot.pk)
    require_denied(bot, *attempt(bot), "limits")


@pytest.mark.parametrize("model", [BotRiskLimits, PortfolioRiskLimits])
def test_a_row_of_limits_that_was_deleted(model: Any) -> None:
    bot = make_bot()
    model.objects.all().delete()
    verdict, executor = attempt(bot)
    require_denied(bot, verdict, executor, "limits")
    assert "there are no limits of" in verdict.reason


@pytest.mark.parametrize("capital", ["0", "-0.01", "-100000"])
def test_an_account_without_equity(capital: str) -> None:
    bot = make_bot()
    Portfolio.objects.update(capital=D(capital))
    require_denied(bot, *attempt(bot), "books")


@pytest.mark.parametrize("realised", ["-5000", "-5000.01", "-90000"])
def test_a_bot_without_equity(realised: str) -> None:
    bot = make_bot()
    BotBook.objects.update(realised=D(realised))
    require_denied(bot, *attempt(bot), "books")


@pytest.mark.parametrize(
    ("model", "name", "value"),
    [
        (Portfolio, "capital", "NaN"),
        (Portfolio, "capital", "Infinity"),
        (Portfolio, "realised", "-Infinity"),
        (Portfolio, "unrealised", "NaN"),
        (Portfolio, "exposure", "NaN"),
        (Portfolio, "exposure", "-Infinity"),
        (Portfolio, "peak_equity", "NaN"),
        (Portfolio, "reserved", "NaN"),
        (BotBook, "realised", "NaN"),
        (BotBook, "peak_equity", "NaN"),
        (BotBook, "day_start_equity", "NaN"),
        (BotBook, "day_start_equity", "Infinity"),
    ],
)
def test_a_total_that_is_no_number(model: Any, name: str, value: str) -> None:
    """No field of ours stores one. Where it can not even be compared the gate ends with an error: the tick then fails,
    and tells that; nothing is decided and nothing sent."""
    bot = make_bot()
    where = {"account_id": bot.account_id} if model is Portfolio else {"bot_id": bot.pk}
    write_past_constraints(model, {name: value}, **where)
    try:
        verdict, executor = attempt(bot)
    except ArithmeticError:
        assert not Decision.objects.exists()
        assert not Order.objects.exists()
    else:
        require_denied(bot, verdict, executor, "numbers")


def test_an_exposure_below_zero_makes_no_room() -> None:
    bot = make_bot()
    Portfolio.objects.update(exposure=D(-1))
    require_denied(bot, *attempt(bot), "books")


def test_an_exposure_of_the_asset_below_zero_makes_no_room() -> None:
    bot = make_bot()
    AssetExposure.objects.create(portfolio=bot.account.portfolio, asset="BTC", exposure=D(-1))
    require_denied(bot, *attempt(bot), "books")


@pytest.mark.parametrize("value", ["NaN", "sNaN", "Infinity", "-Infinity"])
@pytest.mark.parametrize("what", ["reference_price", "stop_price", "target_price", "amount", "normal_amount"])
def test_a_wish_that_is_no_number(what: str, value: str) -> None:
    bot = make_bot()
    require_denied(bot, *attempt(bot, **{what: D(value)}), "numbers")


@pytest.mark.parametrize(
    ("what", "value", "check"),
    [
        ("reference_price", "0", "prices"),
        ("reference_price", "-60000", "prices"),
        ("reference_price", "600000", "price_collar"),
        ("reference_price", "6000", "price_collar"),
        ("stop_price", "0", "stop_loss"),
        ("stop_price", "-1", "stop_loss"),
        ("stop_price", None, "stop_loss"),
        ("stop_price", "60000", "stop_loss"),
        ("target_price", "59000", "prices"),
        ("amount", "0", "exchange_filters"),
        ("amount", "-0.01", "exchange_filters"),
        ("amount", "0.02", "loss_streak"),  # more than its normal amount
        ("amount", "1e30", "exchange_filters"),
    ],
)
def test_a_wish_that_makes_no_sense(what: str, value: str | None, check: str) -> None:
    bot = make_bot()
    require_denied(bot, *attempt(bot, **{what: None if value is None else D(value)}), check)


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"trusted_price": None}, "price_collar"),
        ({"trusted_price": D("NaN")}, "numbers"),
        ({"trusted_price": D("Infinity")}, "numbers"),
        ({"trusted_price": D(0)}, "price_collar"),
        ({"trusted_price": D(6_000)}, "price_collar"),  # the live price is ten times the close
        ({"clock": Offset(5_000, 0)}, "clock"),
        ({"quote": quote("BTC/USDT", "NaN", now_at().market_ms)}, "numbers"),
        ({"quote": quote("BTC/USDT", "-60000", now_at().market_ms)}, "stop_loss"),
        ({"quote": quote("BTC/USDT", "60000", now_at().market_ms - 300_001)}, "fresh_prices"),
        ({"quote": quote("BTC/USDT", "60000", now_at().market_ms + 300_001)}, "fresh_prices"),
        ({"instrument": instrument("ETH/USDT")}, "exchange_filters"),
        ({"instrument": instrument(lot_step=D(0))}, "exchange_filters"),
        ({"instrument": instrument(min_notional=D("NaN"))}, "numbers"),
    ],
    ids=[
        "no close",
        "close NaN",
        "close infinite",
        "close zero",
        "ten times the close",
        "clock",
        "quote NaN",
        "bid below zero",
        "quote old",
        "quote from the future",
        "rules of another symbol",
        "a lot step of zero",
        "a minimum NaN",
    ],
)
def test_a_price_or_rule_that_makes_no_sense(changes: dict[str, Any], check: str) -> None:
    bot = make_bot()
    require_denied(bot, *attempt(bot, pricing(**changes)), check)


def test_without_the_switchs_row_nothing_enters() -> None:
    bot = make_bot()
    DeadMansSwitch.objects.all().delete()
    require_denied(bot, *attempt(bot), "dead_mans_switch")


def test_what_was_never_valued_approves_nothing() -> None:
    bot = make_bot()
    Portfolio.objects.update(cost=D(600), marked_at=None)
    require_denied(bot, *attempt(bot), "fresh_marks")


def test_limits_that_make_no_sense_keep_no_fill_from_being_booked() -> None:
    bot = make_bot()
    attempt(bot)
    write_past_constraints(BotRiskLimits, {"max_drawdown": "a fifth"}, bot_id=bot.pk)
    write_past_constraints(PortfolioRiskLimits, {"max_drawdown": "-1"}, account_id=bot.account_id)
    wish = Exit(ExitReason.STOP, "stop", D(59_000))
    means = Means(ScriptedExecutor(filled_at("59000")), now_at, instrument())
    assert leave(Position.objects.get(), wish, Grounds(SLOT_0 + 1), means) == PositionStatus.CLOSED


def spoil_everything(bot: Bot) -> None:
    """Limits, switch, equity: nothing of it is as it should be, and everything halts."""
    BotRiskLimits.objects.all().delete()
    PortfolioRiskLimits.objects.all().delete()
    DeadMansSwitch.objects.all().delete()
    Portfolio.objects.update(capital=D(-100_000))
    BotBook.objects.update(day_start_equity=D(10**9), peak_equity=D(10**9))
    Bot.objects.update(status=BotStatus.HALTED)
    Halt.objects.create(
        account=None, bot=None, cause="operator", text="all", market_at=now_at().market_at, raised_at=now_at().wall_at
    )


def test_an_exit_needs_none_of_it() -> None:
    bot = make_bot()
    attempt(bot)
    position = Position.objects.get()
    spoil_everything(bot)
    executor = ScriptedExecutor(filled_at("59000"))
    wish = Exit(ExitReason.STOP, "stop", D(59_000))
    status = leave(position, wish, Grounds(SLOT_0 + 1), Means(executor, now_at, instrument()))
    assert status == PositionStatus.CLOSED
    assert [request.amount for request in executor.sent] == [D("0.01")]


def test_two_bad_things_are_one_refusal() -> None:
    bot = make_bot()
    spoil_everything(bot)
    freshly_marked(bot.account, now_at())
    require_denied(bot, *attempt(bot, reference_price=D("NaN")), "numbers")
