"""Loading a fleet: everything or nothing, once, and history stays."""

from decimal import Decimal

import pytest
from django.db import connection, transaction
from django_celery_beat.models import PeriodicTask

from bots import lifecycle
from bots.models import Bot, BotStatus, ExchangeAccount
from execution.held import BotInUse
from execution.models import BotBook, CapitalChange, Portfolio, Position
from execution.states import PositionStatus
from notifications.models import Event
from risk.models import BotRiskLimits, PortfolioRiskLimits
from tests.factories import make_bot, now_at
from tests.fleet.test_read import DEFAULT, GOOD, read
from tradingplatform.fleet.load import load_fleet, plan_fleet
from tradingplatform.fleet.problems import BadFleet
from tradingplatform.fleet.show import plan_text

pytestmark = pytest.mark.django_db

NOW = now_at()


def load(text=GOOD):
    return load_fleet(read(text), NOW, "tester")


def hold(name, status=PositionStatus.OPEN):
    bot = Bot.objects.get(name=name)
    return Position.objects.create(
        account=bot.account,
        bot=bot,
        symbol=bot.symbol,
        status=status,
        entry_slot=1,
        stop_price=Decimal(1),
        created_at=NOW.market_at,
    )


def everything():
    """All rows of ours, as they are."""
    models = (ExchangeAccount, Bot, BotBook, BotRiskLimits, Portfolio, CapitalChange, Event, PeriodicTask)
    return [list(model.objects.order_by("pk").values()) for model in models]


def test_a_new_fleet_has_all_its_rows_and_runs():
    load()
    account = ExchangeAccount.objects.get()
    assert (account.name, account.exchange, account.quote) == ("main", "simulated", "USDT")
    assert CapitalChange.objects.get().kind == "INITIAL"
    portfolio = Portfolio.objects.get()
    assert (portfolio.capital, portfolio.peak_equity) == (Decimal(10_000), Decimal(10_000))
    assert PortfolioRiskLimits.objects.count() == 1
    assert set(Bot.objects.values_list("status", flat=True)) == {"RUNNING"}
    assert BotRiskLimits.objects.count() == 3
    book = BotBook.objects.get(bot__name="mine")
    assert book.peak_equity == book.day_start_equity == Decimal("1234.56789012345678")
    assert PeriodicTask.objects.filter(enabled=True).count() == 3
    assert Event.objects.filter(kind="bot_started", text__contains="by tester").count() == 3


def test_the_default_fleet_loads():
    load_fleet(read(DEFAULT.read_text()), NOW, "tester")
    assert Bot.objects.filter(status="RUNNING").count() == 45
    assert "225000 USDT" in plan_text(plan_fleet(read(DEFAULT.read_text())))


def test_loading_again_changes_nothing():
    load()
    before = everything()
    plan = load()
    after = everything()
    assert plan.is_empty
    for rows in (before, after):  # the lock's own counter aside
        rows[4][0].pop("lock_version")
    assert before == after


def test_a_dry_run_changes_nothing():
    plan = plan_fleet(read(GOOD))
    assert len(plan.created) == 3
    assert not Bot.objects.exists()
    assert not ExchangeAccount.objects.exists()


def test_changed_fields_are_shown_and_applied():
    load()
    plan = load(GOOD.replace("fast = 5", "fast = 7").replace("1234.56789012345678", "2000").replace('"4h"', '"1h"'))
    text = plan_text(plan)
    assert "fast 5 -> 7" in text
    assert "capital 1234.56789012345678 -> 2000" in text
    assert "timeframe 4h -> 1h" in text
    event = Event.objects.filter(kind="fleet_loaded").latest("pk")
    assert event.payload["actor"] == "tester"
    assert any("fast 5 -> 7" in line for line in event.payload["plan"])
    bot = Bot.objects.get(name="mine")
    assert (bot.parameters["fast"], bot.capital, bot.timeframe, bot.status) == (7, Decimal(2000), "1h", "RUNNING")


def test_a_changed_capital_is_neither_profit_nor_loss():
    load()
    book = BotBook.objects.get(bot__name="mine")
    book.peak_equity, book.day_start_equity, book.realised = Decimal(1300), Decimal(1250), Decimal(-20)
    book.save()
    load(GOOD.replace("1234.56789012345678", "1000.56789012345678"))
    drawdown = 1 - (Decimal("1234.56789012345678") - 20) / 1300
    book.refresh_from_db()
    assert (book.day_start_equity, book.realised) == (Decimal(1016), Decimal(-20))
    assert abs(1 - (Decimal("1000.56789012345678") - 20) / book.peak_equity - drawdown) < Decimal("1e-12")


@pytest.mark.parametrize(
    ("capital", "kind", "amount"), [("12_000", "DEPOSIT", Decimal(2000)), ("9_000.5", "WITHDRAWAL", Decimal("-999.5"))]
)
def test_a_changed_account_capital_is_booked(capital, kind, amount):
    load()
    load(GOOD.replace("10_000", capital))
    change = CapitalChange.objects.latest("pk")
    portfolio = Portfolio.objects.get()
    assert (change.kind, change.amount) == (kind, amount)
    assert portfolio.capital == portfolio.peak_equity == Decimal(10_000) + amount


def test_more_than_is_free_cannot_be_taken_out():
    load()
    Portfolio.objects.update(cost=Decimal(9_500))
    before = everything()
    with pytest.raises(BadFleet, match=r"fleet.toml:4: account.capital = 9000: would take out 1000, but only 500 is"):
        load(GOOD.replace("10_000", "9_000"))
    assert everything()[1:4] == before[1:4]


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [("ETH/USDT", "BTC/USDT", 18), ('"4h"', '"1h"', 19), ('"ema_cross"', '"donchian_breakout"', 17)],
)
def test_a_held_position_fixes_its_bot(old, new, line):
    load()
    hold("mine")
    before = everything()[1:4]
    head, tail = GOOD.split("[[bots]]")
    tail = tail.replace("parameters = { fast = 5, stop_atr = 2.5 }", "")
    with pytest.raises(BadFleet, match=r"bot mine has a live position in ETH/USDT \(OPEN\) and keeps its") as caught:
        load(f"{head}[[bots]]{tail.replace(old, new)}")
    assert [problem.line for problem in caught.value.problems] == [line]
    assert everything()[1:4] == before


def test_a_held_position_lets_capital_and_parameters_change():
    load()
    hold("mine")
    load(GOOD.replace("fast = 5", "fast = 7").replace("1234.56789012345678", "2000"))
    assert Bot.objects.get(name="mine").capital == Decimal(2000)


def without_mine():
    return GOOD[: GOOD.index("[[bots]]")]


def test_a_bot_that_left_the_file_is_stopped_and_comes_back():
    load()
    assert "stop     mine" in plan_text(load(without_mine()))
    assert Bot.objects.get(name="mine").status == BotStatus.STOPPED
    assert load(without_mine()).is_empty
    assert load().restarted == ("mine",)
    assert Bot.objects.get(name="mine").status == BotStatus.RUNNING


@pytest.mark.parametrize("status", [PositionStatus.OPENING, PositionStatus.OPEN, PositionStatus.CLOSING])
def test_a_bot_that_left_the_file_with_a_position_is_paused_and_comes_back(status):
    load()
    hold("mine", status)
    load(without_mine())
    assert Bot.objects.get(name="mine").status == BotStatus.PAUSED
    load(without_mine())
    assert load().resumed == ("mine",)
    assert Bot.objects.get(name="mine").status == BotStatus.RUNNING


def test_what_an_operator_paused_stays_paused():
    load()
    lifecycle.pause(Bot.objects.get(name="mine"), now=NOW, actor="somebody", reason="looks odd")
    load(GOOD.replace("fast = 5", "fast = 7"))
    assert Bot.objects.get(name="mine").status == BotStatus.PAUSED


def test_a_halted_bot_that_left_the_file_stays_halted():
    load()
    lifecycle.halt(Bot.objects.get(name="mine").pk, "drawdown", now=NOW, actor="risk")
    assert "leave    mine" in plan_text(load(without_mine()))
    assert Bot.objects.get(name="mine").status == BotStatus.HALTED


def test_names_are_unique_over_accounts():
    other = make_bot(name="mine")
    with pytest.raises(BadFleet, match=f"is the name of a bot of account {other.account.name}"):
        load()
    assert Bot.objects.count() == 1


def test_a_failure_half_way_changes_nothing(monkeypatch):
    def no_disk(*args, **kwargs):
        raise OSError("disk full")

    monkeypatch.setattr(lifecycle, "start", no_disk)
    with pytest.raises(OSError, match="disk full"):
        load()
    assert not ExchangeAccount.objects.exists()
    assert not PeriodicTask.objects.filter(name__startswith="bot:").exists()


def test_any_entrance_refuses_to_move_a_bot_under_its_position():
    bot = make_bot()
    hold(bot.name)
    bot.symbol = "ETH/USDT"
    with pytest.raises(BotInUse, match="live position in BTC/USDT"), transaction.atomic():
        bot.save()


@pytest.mark.django_db(transaction=True)
def test_a_capital_change_outside_a_transaction_is_refused():
    bot = make_bot()
    bot.capital = Decimal(1)
    assert not connection.in_atomic_block
    with pytest.raises(RuntimeError, match="transaction"):
        bot.save()
