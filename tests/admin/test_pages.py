"""Every page of every model renders, for those who are logged in, in a number of queries that does not grow."""

from decimal import Decimal

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_celery_beat.models import ClockedSchedule, CrontabSchedule, PeriodicTask, PeriodicTasks, SolarSchedule

from bots.models import AiCircuit, AiDay, ExchangeAccount
from execution.models import (
    AssetExposure,
    EquitySnapshot,
    Order,
    PaperFill,
    PaperOrder,
    Portfolio,
    Position,
    Purpose,
    Reconciliation,
    Trade,
)
from execution.states import OrderStatus, PositionStatus
from market.orders import OrderType, ReportStatus, Side
from notifications.models import Condition, Cursor, DeadLetter, Event, EventCounter, Heartbeat, Severity
from risk.models import Decision, Halt, Outcome
from tests.factories import make_bot, now_at
from tradingplatform.acting import By
from tradingplatform.limit_acts import change_limit

pytestmark = pytest.mark.django_db

NOW = now_at()
AT = {"market_at": NOW.market_at, "wall_at": NOW.wall_at}
OURS = ("notifications", "bots", "risk", "execution")
MODELS = [model for model in admin.site._registry if model._meta.app_label != "admin"]


def name_of(model):
    return f"{model._meta.app_label}_{model._meta.model_name}"


def url(model, page, *args):
    return reverse(f"admin:{name_of(model)}_{page}", args=args)


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client


def a_trading_bot(number):
    """A bot with a row in every table of ours."""
    bot = make_bot()
    account = bot.account
    decision = Decision.objects.create(
        bot=bot, slot=number, outcome=Outcome.APPROVED, reason="crossed", bot_status=bot.status, **AT
    )
    position = Position.objects.create(
        account=account,
        bot=bot,
        symbol=bot.symbol,
        status=PositionStatus.OPEN,
        entry_slot=number,
        quantity=Decimal("0.5"),
        cost=Decimal(100),
        entry_price=Decimal(200),
        mark_price=Decimal(210),
        stop_price=Decimal(190),
        created_at=NOW.market_at,
        opened_at=NOW.market_at,
    )
    order = Order.objects.create(
        account=account,
        bot=bot,
        position=position,
        decision=decision,
        client_order_id=f"order-{bot.pk}",
        purpose=Purpose.ENTRY,
        symbol=bot.symbol,
        side=Side.BUY,
        type=OrderType.MARKET,
        amount=Decimal("0.5"),
        reference_price=Decimal(200),
        status=OrderStatus.FILLED,
        filled=Decimal("0.5"),
        market_at=NOW.market_at,
        prepared_at=NOW.wall_at,
    )
    Trade.objects.create(
        account=account,
        order=order,
        position=position,
        symbol=bot.symbol,
        side=Side.BUY,
        trade_id=f"{bot.pk}",
        price=Decimal(200),
        amount=Decimal("0.5"),
        fee=Decimal("0.1"),
        fee_currency="USDT",
        cash_change=Decimal("-100.1"),
        executed_at=NOW.market_at,
    )
    paper = PaperOrder.objects.create(
        account=account,
        client_order_id=f"order-{bot.pk}",
        symbol=bot.symbol,
        side=Side.BUY,
        type=OrderType.MARKET,
        amount=Decimal("0.5"),
        status=ReportStatus.FILLED,
        created_at=NOW.market_at,
    )
    PaperFill.objects.create(
        order=paper,
        trade_id=f"{bot.pk}",
        price=Decimal(200),
        amount=Decimal("0.5"),
        fee=Decimal("0.1"),
        fee_currency="USDT",
        executed_at=NOW.market_at,
    )
    halt = {"account": account, "cause": "drawdown", "text": "halted", "market_at": NOW.market_at}
    Halt.objects.create(bot=bot, raised_at=NOW.wall_at, **halt)
    Halt.objects.create(bot=None, raised_at=NOW.wall_at, **halt)
    for of in (bot, None):
        EquitySnapshot.objects.create(
            account=account, bot=of, market_at=NOW.market_at, equity=1, realised=Decimal(-1), unrealised=Decimal(1)
        )
    AssetExposure.objects.create(portfolio=Portfolio.objects.get(account=account), asset="BTC", exposure=Decimal(105))
    for ended_at in (None, NOW.wall_at):
        Condition.objects.create(
            kind="k", subject=f"bot {bot.pk}", text="it lasts", began_at=NOW.wall_at, ended_at=ended_at
        )
    with transaction.atomic():
        by = By("ann", NOW, "because")
        by.audit(
            "pause_bot", f"bot {bot.name}", bot_id=bot.pk, before={"status": "RUNNING"}, after={"status": "PAUSED"}
        )
        change_limit(bot, "max_position", "0.2", by)
        change_limit(bot, "max_drawdown", "0.3", by, bot.name)
        change_limit(account, "max_asset", "0.2", by)
    for severity in Severity:
        Event.objects.create(kind="k", severity=severity, bot_id=bot.pk, text="something happened", **AT)
    Cursor.objects.create(name=f"hook-{number}", seq=number, failing_since=NOW.wall_at, moved_at=NOW.wall_at)
    refused = {"subscriber": f"hook-{number}", "error": "HTTP 404", "attempts": 1, "buried_at": NOW.wall_at}
    DeadLetter.objects.create(event=Event.objects.create(kind="told", text="told", **AT), **refused)
    return bot


def other_rows():
    Group.objects.get_or_create(name="watchers")
    Heartbeat.objects.get_or_create(name="beat", defaults={"sent_at": NOW.wall_at, "wall_at": NOW.wall_at})
    AiDay.objects.get_or_create(day=NOW.wall_at.date())
    AiCircuit.objects.get_or_create(pk=AiCircuit.SINGLETON)
    ClockedSchedule.objects.get_or_create(clocked_time=NOW.wall_at)
    CrontabSchedule.objects.get_or_create(minute="5")
    SolarSchedule.objects.get_or_create(event="sunrise", latitude=1, longitude=1)
    for account in ExchangeAccount.objects.all():
        Reconciliation.objects.get_or_create(account=account, defaults={"ran_at": NOW.wall_at})


def test_all_models_are_registered():
    ours = {model for label in OURS for model in apps.get_app_config(label).get_models()}
    beat = set(apps.get_app_config("django_celery_beat").get_models()) - {PeriodicTasks}  # a change stamp, no model
    shown = set(admin.site._registry) | {PaperFill, EventCounter}  # on its order's page; on each cursor's
    assert ours | beat <= shown


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_list_and_detail_pages_render(model, operator):
    a_trading_bot(1)
    other_rows()
    page = operator.get(url(model, "changelist"))
    assert page.status_code == 200
    row = model._default_manager.first()
    assert row is not None, "the test makes a row of every model"
    detail = operator.get(url(model, "change", row.pk))
    assert detail.status_code == 200
    searched = operator.get(url(model, "changelist"), {"q": "a"})
    assert searched.status_code == 200


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_lists_take_a_constant_number_of_queries(model, operator):
    other_rows()
    counts = []
    for number in (1, 2, 3):
        a_trading_bot(number)
        a_trading_bot(number + 10)
        with CaptureQueriesContext(connection) as queries:
            operator.get(url(model, "changelist"))
        counts.append(len(queries))
    assert counts[1] == counts[2], [query["sql"] for query in queries]
    assert counts[2] <= 25


@pytest.mark.parametrize("model", MODELS, ids=name_of)
def test_anonymous_is_sent_to_the_login(model, client):
    a_trading_bot(1)
    other_rows()
    row = model._default_manager.first()
    pages = [url(model, "changelist"), url(model, "add")]
    pages += [url(model, "change", row.pk)] if row else []
    for page in pages:
        answer = client.get(page)
        assert answer.status_code == 302
        assert answer.url.startswith(reverse("admin:login"))


def test_somebody_who_is_no_staff_is_sent_to_the_login(client):
    client.force_login(User.objects.create_user("guest"))
    assert client.get(reverse("admin:index")).status_code == 302


WRITTEN_BY_THE_PLATFORM = [
    model
    for model in MODELS
    if model._meta.app_label in ("execution", "notifications", "django_celery_beat")
    or model._meta.model_name in ("decision", "halt", "deadmansswitch", "limitchange", "aiday", "aicircuit")
]


@pytest.mark.parametrize("model", WRITTEN_BY_THE_PLATFORM, ids=name_of)
def test_rows_of_the_platform_are_read_only(model, operator):
    a_trading_bot(1)
    other_rows()
    row = model._default_manager.first()
    before = list(model._default_manager.order_by("pk").values())
    assert operator.get(url(model, "add")).status_code == 403
    assert operator.post(url(model, "change", row.pk), {"status": "x"}).status_code == 403
    assert operator.post(url(model, "delete", row.pk), {"post": "yes"}).status_code == 403
    assert list(model._default_manager.order_by("pk").values()) == before


def test_states_have_colours_and_rows_have_links(operator):
    bot = a_trading_bot(1)
    page = operator.get(url(type(bot), "changelist")).content.decode()
    assert "bg-green" in page
    assert f"bot__id__exact={bot.pk}" in page
    orders = operator.get(url(Position, "changelist"), {"bot__id__exact": bot.pk}).content.decode()
    position = Position.objects.get()
    assert f"position__id__exact={position.pk}" in orders
    assert operator.get(url(Order, "changelist"), {"position__id__exact": position.pk}).status_code == 200
    assert operator.get(url(Trade, "changelist"), {"order__id__exact": Order.objects.get().pk}).status_code == 200


def test_the_schedule_of_a_bot_is_shown(operator):
    bot = make_bot()
    assert f"bot:{bot.pk}" in operator.get(url(PeriodicTask, "changelist")).content.decode()
