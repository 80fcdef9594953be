"""What an operator finds in the lists: where a row belongs to, in which mode, how old; what is filtered, and how many
queries it takes."""

from decimal import Decimal as D
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from bots.models import Bot, ExchangeAccount
from execution.models import CapitalChange, EquitySnapshot, Order, PaperOrder, Position, Trade
from execution.states import PositionStatus
from notifications.admin_base import ReadOnlyAdmin
from notifications.lists.kinds import values_there
from notifications.models import AuditEntry, Condition, Event
from risk.models import BotRiskLimits, Decision, PortfolioRiskLimits
from tests.admin.test_pages import a_trading_bot, name_of, url
from tests.admin.trading_rows import NOW, a_closed_position, a_decision, a_trade, an_order
from tests.factories import make_account, make_bot

pytestmark = pytest.mark.django_db

LISTS = [Position, Order, Trade, Decision, Event, EquitySnapshot, CapitalChange, AuditEntry, Condition]
EDITED_BY_PEOPLE = {Bot, ExchangeAccount, BotRiskLimits, PortfolioRiskLimits, User, Group}


def listed(client, model, **query):
    return [row.pk for row in client.get(url(model, "changelist"), query).context["cl"].result_list]


def html_of(client, model, **query):
    return client.get(url(model, "changelist"), query).content.decode().partition('id="result_list"')[2]


@pytest.fixture
def chain():
    """A decision, the position and the order that it allowed, and their trade; and those of another bot."""
    made = []
    for strategy, symbol in (("ema_cross", "BTC/USDT"), ("rsi_reversal", "ETH/USDT")):
        bot = make_bot(strategy=strategy, symbol=symbol)
        position = a_closed_position(bot, "-1.5", exit_reason="STOP")
        order = an_order(position, exchange_order_id=f"ex-{bot.pk}")
        made.append((bot, order.decision, position, order, a_trade(order)))
    return made[0]


def test_links_lead_down_and_back_up_the_chain(operator, chain):
    bot, decision, position, order, trade = chain
    to = {row: f'href="{url(type(row), "change", row.pk)}"' for row in chain}
    orders_of, trades_of = url(Order, "changelist"), url(Trade, "changelist")
    html = {model: html_of(operator, model, q=bot.name) for model in (Position, Order, Trade, Decision)}
    assert f'href="{orders_of}?position__id__exact={position.pk}"' in html[Position]
    assert f'href="{trades_of}?position__id__exact={position.pk}"' in html[Position]
    assert f'href="{trades_of}?order__id__exact={order.pk}"' in html[Order]
    assert f'href="{orders_of}?decision__id__exact={decision.pk}"' in html[Decision]
    for model, rows in ((Position, [bot, decision]), (Order, [bot, position, decision]), (Decision, [bot])):
        assert not [row for row in rows if to[row] not in html[model]], model
    assert not [row for row in (bot, order, position, decision) if to[row] not in html[Trade]]
    assert listed(operator, Order, decision__id__exact=decision.pk) == [order.pk]
    assert listed(operator, Order, position__id__exact=position.pk) == [order.pk]
    assert listed(operator, Trade, position__id__exact=position.pk) == [trade.pk]


def test_a_list_that_a_link_narrowed_says_so(operator, chain):
    page = operator.get(url(Order, "changelist"), {"position__id__exact": chain[2].pk, "side__exact": "BUY"})
    assert page.context["cl"].narrowed == [("position", str(chain[2].pk), "?side__exact=BUY")]
    assert "show all" in page.content.decode()
    assert "show all" not in operator.get(url(Order, "changelist"), {"side__exact": ""}).content.decode()


@pytest.mark.parametrize("model", [Position, Order, Trade, EquitySnapshot, Decision], ids=name_of)
def test_mode_strategy_units_and_age_stand_beside_each_row(operator, model):
    a_trading_bot(1)
    html = "".join(html_of(operator, model).split())
    assert ">PAPER<" in html or ">Paper<" in html
    assert "rsi_reversal" in html
    assert 'title="2024-03-0916:00:01UTC,markettime"' in html
    assert "ago</span></time>" in html
    if model is not Decision:
        assert "USDT<" in html
    if model in (Position, Order, Trade):
        assert "0.5BTC<" in html


def test_profit_and_loss_have_sign_and_colour(operator):
    bot = make_bot()
    for realised in ("1.5", "-1.5", "0"):
        a_closed_position(bot, realised)
    html = html_of(operator, Position)
    for cell in ('"gain">+1.50 USDT', '"loss">-1.50 USDT', '"even">+0.00 USDT'):
        assert f"<span class={cell}</span>" in html


FILTERS = [
    (Position, "bot__id__exact", "bot"),
    (Position, "bot__strategy__exact", "ema_cross"),
    (Position, "symbol__exact", "BTC/USDT"),
    (Position, "q", "name"),
    (Order, "bot__id__exact", "bot"),
    (Order, "bot__strategy__exact", "ema_cross"),
    (Order, "symbol__exact", "BTC/USDT"),
    (Order, "q", "name"),
    (Order, "q", "client"),
    (Order, "q", "exchange"),
    (Trade, "order__bot__id__exact", "bot"),
    (Trade, "order__bot__strategy__exact", "ema_cross"),
    (Trade, "symbol__exact", "BTC/USDT"),
    (Trade, "q", "name"),
    (Trade, "q", "client"),
    (Trade, "q", "exchange"),
    (Decision, "bot__id__exact", "bot"),
    (Decision, "bot__strategy__exact", "ema_cross"),
    (Decision, "bot__symbol__exact", "BTC/USDT"),
    (Decision, "q", "name"),
]


@pytest.mark.parametrize(("model", "lookup", "value"), FILTERS, ids=lambda value: getattr(value, "__name__", value))
def test_one_of_two_is_found(operator, chain, model, lookup, value):
    bot, decision, position, order, trade = chain
    said = {
        "bot": bot.pk,
        "name": bot.name,
        "client": order.client_order_id,
        "exchange": order.exchange_order_id,
    }.get(value, value)
    wanted = {Position: position, Order: order, Trade: trade, Decision: decision}[model]
    assert listed(operator, model, **{lookup: said}) == [wanted.pk]
    assert len(listed(operator, model, **{lookup: ""})) == 2, "empty: no filter"


@pytest.mark.parametrize(
    ("model", "lookup", "found", "none"),
    [
        (Position, "status__exact", "CLOSED", "OPEN"),
        (Position, "exit_reason__exact", "STOP", "TARGET"),
        (Position, "account__mode__exact", "PAPER", "LIVE"),
        (Order, "status__exact", "FILLED", "UNKNOWN"),
        (Order, "side__exact", "BUY", "SELL"),
        (Order, "purpose__exact", "ENTRY", "STOP"),
        (Order, "account__mode__exact", "PAPER", "LIVE"),
        (Trade, "side__exact", "BUY", "SELL"),
        (Trade, "order__purpose__exact", "ENTRY", "EXIT"),
        (Trade, "account__mode__exact", "PAPER", "LIVE"),
        (Decision, "outcome__exact", "APPROVED", "REFUSED"),
        (Decision, "bot__account__mode__exact", "PAPER", "LIVE"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_rows_of_one_kind_are_found(operator, chain, model, lookup, found, none):
    assert len(listed(operator, model, **{lookup: found})) == 2
    assert listed(operator, model, **{lookup: none}) == []


def test_decisions_by_the_check_that_failed(operator):
    bot = make_bot()
    refused = a_decision(bot, outcome="REFUSED", failed_check="max_position")
    a_decision(bot, outcome="REFUSED", failed_check="order_rate")
    assert listed(operator, Decision, failed_check__exact="max_position") == [refused.pk]
    html = operator.get(url(Decision, "changelist")).content.decode()
    assert '<option value="portfolio_drawdown">' in html, "also what never failed yet"


def test_events_and_audit_entries_by_bot_kind_and_severity(operator):
    bot = make_bot(name="btc-bot")
    at = {"market_at": NOW.market_at, "wall_at": NOW.wall_at}
    told = Event.objects.create(kind="halted", severity="CRITICAL", bot_id=bot.pk, text="t", **at)
    Event.objects.create(kind="started", text="t", **at)
    done = AuditEntry.objects.create(actor="ann", action="pause_bot", subject="s", bot_id=bot.pk, **at)
    AuditEntry.objects.create(actor="bob", action="halt", subject="s", **at)
    for query in ({"bot_id": bot.pk}, {"kind__exact": "halted"}, {"severity__exact": "CRITICAL"}):
        assert listed(operator, Event, **query) == [told.pk]
    for query in ({"bot_id": bot.pk}, {"action__exact": "pause_bot"}, {"actor__exact": "ann"}, {"q": "ann"}):
        assert listed(operator, AuditEntry, **query) == [done.pk]
    for model in (Event, AuditEntry):
        assert listed(operator, model, bot_id="x") == []
        assert listed(operator, model, bot_id="9" * 30) == []
        assert "btc-bot</a>" in html_of(operator, model)
    assert values_there(Event, "kind") == ["halted", "started"]
    assert values_there(Condition, "kind") == []


def test_conditions_that_last_and_snapshots_of_accounts_and_bots(operator):
    begun = {"kind": "k", "text": "t", "began_at": NOW.wall_at}
    lasts = Condition.objects.create(subject="a", **begun)
    over = Condition.objects.create(subject="b", ended_at=NOW.wall_at, **begun)
    assert listed(operator, Condition, ended_at__isnull="1") == [lasts.pk]
    assert listed(operator, Condition, ended_at__isnull="0") == [over.pk]
    bot = make_bot()
    amounts = {"account": bot.account, "market_at": NOW.market_at, "equity": 1, "realised": 0, "unrealised": 0}
    of_account = EquitySnapshot.objects.create(**amounts)
    of_bot = EquitySnapshot.objects.create(bot=bot, stale=True, **amounts)
    assert listed(operator, EquitySnapshot, bot__isnull="1") == [of_account.pk]
    assert listed(operator, EquitySnapshot, bot__isnull="0") == [of_bot.pk]
    assert listed(operator, EquitySnapshot, stale__exact="1") == [of_bot.pk]
    assert listed(operator, EquitySnapshot, stale__exact="0") == [of_account.pk]


def test_a_fleet_of_bots_is_not_written_into_the_page(operator):
    for _ in range(30):
        make_bot(name=f"hidden-{Bot.objects.count()}")
    for model in (Position, Event):
        page = operator.get(url(model, "changelist")).content.decode()
        assert "hidden-" not in page
        assert reverse("admin:autocomplete") in page


@pytest.mark.parametrize("model", LISTS, ids=name_of)
def test_an_empty_list_says_what_will_appear(operator, model):
    page = operator.get(url(model, "changelist")).content.decode()
    assert "Nothing here yet." in page
    assert " appears " in page.partition("Nothing here yet.")[2][:600]
    assert "Export as CSV" not in page


def test_every_list_of_the_platforms_rows_says_what_will_appear():
    silent = [
        model.__name__
        for model, found in admin.site._registry.items()
        if isinstance(found, ReadOnlyAdmin) and not found.empty_text
    ]
    assert set(silent) <= {
        "Halt",
        "LimitChange",
        "DeadMansSwitch",
        *(name for name in silent if "Schedule" in name),
        "PeriodicTask",
    }


@pytest.mark.parametrize("model", [*LISTS, PaperOrder], ids=name_of)
def test_queries_do_not_grow_with_the_rows(operator, model):
    bots = [make_bot() for _ in range(5)]
    counts = []
    for more in (5, 195):
        make_rows(model, bots, more)
        with CaptureQueriesContext(connection) as queries:
            assert operator.get(url(model, "changelist")).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1], [query["sql"] for query in queries]
    assert counts[1] <= 12


def make_rows(model, bots, number):
    at = {"market_at": NOW.market_at, "wall_at": NOW.wall_at}
    for n in range(number):
        bot = bots[n % len(bots)]
        if model is Position:
            an_order(a_closed_position(bot))
        elif model in (Order, Trade):
            a_trade(an_order(a_closed_position(bot)))
        elif model is Decision:
            a_decision(bot)
        elif model is Event:
            Event.objects.create(kind=f"k{n % 7}", bot_id=bot.pk, text="t", **at)
        elif model is EquitySnapshot:
            EquitySnapshot.objects.create(
                account=bot.account, bot=bot, market_at=NOW.market_at, equity=1, realised=0, unrealised=0
            )
        elif model is CapitalChange:
            CapitalChange.objects.create(account=bot.account, kind="DEPOSIT", amount=D(1), **at)
        elif model is AuditEntry:
            AuditEntry.objects.create(actor="ann", action="halt", subject="s", bot_id=bot.pk, **at)
        elif model is Condition:
            Condition.objects.create(kind="k", subject="s", text="t", began_at=NOW.wall_at, ended_at=NOW.wall_at)
        else:
            PaperOrder.objects.create(
                account=bot.account,
                client_order_id=f"p-{PaperOrder.objects.count()}",
                symbol=bot.symbol,
                side="BUY",
                type="MARKET",
                amount=D(1),
                status="FILLED",
                created_at=NOW.market_at,
            )


@pytest.mark.parametrize(
    "model", [model for model in admin.site._registry if model not in EDITED_BY_PEOPLE], ids=name_of
)
def test_nobody_writes_what_the_platform_writes(model):
    request = RequestFactory().get("/")
    request.user = User.objects.create_superuser("operator")
    found = admin.site._registry[model]
    assert not found.has_add_permission(request)
    assert not found.has_change_permission(request)
    assert not found.has_delete_permission(request)
    assert not [name for name in found.get_actions(request) if name == "delete_selected"]


VIEWER, STRANGER = "viewer", "a stranger"


@pytest.mark.parametrize("model", LISTS, ids=name_of)
@pytest.mark.parametrize(
    ("who", "status"), [(None, 302), (STRANGER, 403), (VIEWER, 200)], ids=["anonymous", STRANGER, VIEWER]
)
def test_who_sees_a_list(client, model, who, status):
    make_account()
    if who is not None:
        user = User.objects.create_user(who, is_staff=True)
        if who == VIEWER:
            user.user_permissions.set(Permission.objects.filter(codename=f"view_{model._meta.model_name}"))
        client.force_login(user)
    assert client.get(url(model, "changelist")).status_code == status


def test_a_position_that_ended_has_nothing_unrealised(operator):
    bot = make_bot()
    a_closed_position(bot, unrealised=D(7))
    assert "7.00" not in html_of(operator, Position)
    a_closed_position(bot, unrealised=D(7), status=PositionStatus.OPEN, closed_at=None, quantity=D(1))
    assert "+7.00 USDT" in html_of(operator, Position)


HUGE = "9" * 30


@pytest.mark.parametrize(
    ("model", "lookup", "value", "status"),
    [
        (Position, "bot__id__exact", HUGE, 302),
        (Trade, "order__bot__id__exact", HUGE, 302),
        (Order, "account__id__in", HUGE, 302),
        (Decision, "bot__id__exact", HUGE, 302),
        (Decision, "bot__id__exact", "abc", 302),
        (Position, "symbol__regex", "(", 400),
        (Decision, "reason__iregex", "(a+)+$", 400),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_filter_that_no_column_can_hold_is_no_failure(operator, chain, model, lookup, value, status):
    assert operator.get(url(model, "changelist"), {lookup: value}).status_code == status
    export = reverse("console_export", args=[model._meta.app_label, model._meta.model_name])
    assert operator.post(f"{export}?{lookup}={quote(value)}").status_code == 400


def test_an_order_from_the_address_does_not_sort_the_table(operator, chain):
    asked, usual = (operator.get(url(Trade, "changelist"), query).context["cl"] for query in ({"o": "1.-2"}, {}))
    assert asked.queryset.query.order_by == usual.queryset.query.order_by
    assert "o=" not in asked.get_query_string()
