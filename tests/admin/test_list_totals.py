"""The head of a list: exact sums of all that is filtered, also of what stands on other pages."""

from decimal import Decimal as D

import pytest
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bots.models import Bot
from bots.sums import ExactSum
from execution.console.totals import capital_totals, order_totals, position_totals, trade_totals
from execution.models import CapitalChange, Order, Position, Trade
from execution.states import PositionStatus
from market.money import ZERO, exact
from notifications.lists import admin as lists
from notifications.lists import pages
from notifications.models import Event
from tests.admin.trading_rows import NOW, a_closed_position, a_trade, an_order
from tests.factories import make_account, make_bot

pytestmark = pytest.mark.django_db

MONEY = st.decimals(min_value=-(10**15), max_value=10**15, places=18, allow_nan=False)
POSITIVE = st.decimals(min_value="0.000000000000000001", max_value=10**9, places=18, allow_nan=False)
ROWS = settings(
    max_examples=15, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def sums(of, *columns):
    return of.objects.aggregate(sum=ExactSum(*columns))["sum"]


def shown(totals):
    return [(total.name, strip(str(total.shown))) for total in totals]


def strip(html):
    return html.replace("</span>", "").rpartition(">")[2]


@ROWS
@given(st.lists(MONEY, max_size=12))
def test_a_sum_is_that_of_the_rows_to_the_last_digit(values):
    Position.objects.all().delete()
    bot = Bot.objects.first() or make_bot()
    for value in values:
        a_closed_position(bot, value)
    with exact():
        assert sums(Position, "realised") == (sum(values, ZERO) if values else None)


@ROWS
@given(st.lists(st.tuples(POSITIVE, POSITIVE), max_size=12))
def test_a_sum_of_products_is_too(values):
    Trade.objects.all().delete()
    order = Order.objects.first() or an_order(a_closed_position(make_bot()))
    for price, amount in values:
        a_trade(order, price=price, amount=amount)
    with exact():
        assert sums(Trade, "price", "amount") == (sum((p * a for p, a in values), ZERO) if values else None)


def test_a_sum_leaves_out_what_is_empty():
    position = a_closed_position(make_bot(), entry_price=None)
    assert sums(Position, "entry_price") is None
    a_closed_position(position.bot, entry_price=D("1.50"))
    assert sums(Position, "entry_price") == D("1.5")


def test_positions_are_totalled_by_currency_and_win_as_in_the_books():
    bot = make_bot()
    for realised in ("10.005", "-4.001", "0"):
        a_closed_position(bot, realised, fees=D("0.1"))
    a_closed_position(
        bot, status=PositionStatus.OPEN, closed_at=None, unrealised=D(-3), exposure=D(97), realised=D("-0.1")
    )
    euros = make_account()
    euros.quote = "EUR"
    euros.save()
    a_closed_position(make_bot(euros, symbol="BTC/EUR"), "-1")
    assert shown(position_totals(Position.objects.all())) == [
        ("Realised", "-1.00 EUR"),
        ("Fees", "0.00 EUR"),
        ("Realised", "+5.90 USDT"),
        ("Unrealised", "-3.00 USDT"),
        ("Exposure", "97.00 USDT"),
        ("Fees", "0.30 USDT"),
        ("Win rate", "50 % (2 of 4 closed)"),
    ]


def test_orders_trades_and_capital_are_totalled():
    position = a_closed_position(make_bot())
    entry = an_order(position)
    leave = an_order(position, purpose="EXIT", side="SELL", filled_cost=D("104.5"), decision=None)
    a_trade(entry, fee=D("0.0001"), fee_currency="BNB")
    a_trade(entry, price=D(210))
    a_trade(leave, side="SELL", fee=D("0.2"))
    assert shown(order_totals(Order.objects.all())) == [
        ("Bought for", "100.00 USDT (1 order)"),
        ("Sold for", "104.50 USDT (1 order)"),
    ]
    assert shown(trade_totals(Trade.objects.all())) == [
        ("Bought for", "205.00 USDT (2 trades)"),
        ("Sold for", "100.00 USDT (1 trade)"),
        ("Fees", "0.00010000 BNB"),
        ("Fees", "0.30 USDT"),
    ]
    CapitalChange.objects.create(
        account=position.account,
        kind="WITHDRAWAL",
        amount=D("-0.5"),
        market_at=NOW.market_at,
        wall_at=NOW.wall_at,
    )
    assert shown(capital_totals(CapitalChange.objects.all())) == [("Capital", "+99,999.50 USDT")]


def test_paper_and_real_money_are_never_one_sum():
    paper, live = make_bot(), make_bot()
    live.account.mode = "LIVE"
    live.account.save()
    for bot, realised in ((paper, "1000"), (live, "-7")):
        a_trade(an_order(a_closed_position(bot, realised, fees=D(1))))
    assert shown(position_totals(Position.objects.all())) == [
        ("Realised (live)", "-7.00 USDT"),
        ("Fees (live)", "1.00 USDT"),
        ("Win rate (live)", "0 % (0 of 1 closed)"),
        ("Realised (paper)", "+1,000.00 USDT"),
        ("Fees (paper)", "1.00 USDT"),
        ("Win rate (paper)", "100 % (1 of 1 closed)"),
    ]
    for totals, model, names in (
        (order_totals, Order, ["Bought for (live)", "Bought for (paper)"]),
        (trade_totals, Trade, ["Bought for (live)", "Fees (live)", "Bought for (paper)", "Fees (paper)"]),
        (capital_totals, CapitalChange, ["Capital (live)", "Capital (paper)"]),
    ):
        assert [name for name, _ in shown(totals(model.objects.all()))] == names


def test_totals_are_of_what_is_filtered_and_of_all_its_pages(operator):
    bot, other = make_bot(strategy="ema_cross"), make_bot()
    for _ in range(51):
        a_closed_position(bot, "0.01")
    a_closed_position(other, "-5")
    answer = operator.get(reverse("admin:execution_position_changelist"), {"bot__id__exact": bot.pk})
    assert len(answer.context["cl"].result_list) == 50
    assert ("Realised", "+0.51 USDT") in shown(answer.context["cl"].totals)
    answer = operator.get(reverse("admin:execution_position_changelist"), {"q": other.name})
    assert ("Realised", "-5.00 USDT") in shown(answer.context["cl"].totals)
    html = answer.content.decode()
    assert '<span class="loss">-5.00 USDT</span>' in html.partition("result_list")[0]


def test_very_many_rows_are_neither_counted_nor_added_up(operator, monkeypatch):
    monkeypatch.setattr(pages, "PAGES_COUNTED_TO", 3)
    monkeypatch.setattr(lists, "TOTALLED_TO", 5)
    bot = make_bot()
    address = reverse("admin:execution_position_changelist")
    for made in range(1, 8):
        a_closed_position(bot, "1")
        found = operator.get(address).context["cl"]
        assert found.count_shown == (str(made) if made <= 3 else "more than 3")
        assert bool(found.totals) == (made <= 5)
    html = operator.get(address).content.decode()
    assert "of at most 5 rows: narrow the filters" in html
    assert "filter, or export, to see the older ones" in html


@pytest.mark.parametrize("page", ["99", "0", "-1", "x", ""])
def test_a_page_that_is_gone_is_the_nearest_one(operator, page):
    for _ in range(51):
        Event.objects.create(kind="k", text="t", market_at=NOW.market_at, wall_at=NOW.wall_at)
    answer = operator.get(reverse("admin:notifications_event_changelist"), {"p": page})
    assert answer.status_code == 200
    assert len(answer.context["cl"].result_list) == (1 if page == "99" else 50)
