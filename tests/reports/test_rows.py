"""Reports of a real past, recomputed from the rows one by one."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal as D
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from execution.models import EquitySnapshot, Portfolio, Position, Trade
from market.money import ZERO, exact
from market.orders import Side
from tests.factories import make_account, make_bot, now_at
from tests.histories import History
from tradingplatform.reports import cost_rows, equity_rows, find, profit_rows, tax_rows
from tradingplatform.reports.costs import costs_together
from tradingplatform.reports.fifo import match
from tradingplatform.reports.period import ALL, Period, last_days, whole_year
from tradingplatform.reports.results import moved, result_of, together
from tradingplatform.reports.table import records, total_record

pytestmark = pytest.mark.django_db

KEYS = {
    "bot": lambda p: p.bot.name,
    "strategy": lambda p: p.bot.strategy,
    "symbol": lambda p: p.symbol,
    "weekday": lambda p: str(p.closed_at.isoweekday() % 7),
    "hour": lambda p: f"{p.closed_at:%H}",
    "month": lambda p: f"{p.closed_at:%Y-%m}",
    "exit": lambda p: p.exit_reason,
}
"""How a person would tell closed positions apart."""


@pytest.fixture
def past():
    """Some steps of four bots; what is held at the end is held."""
    made = History(Random(11))
    for _ in range(85):  # then the dead man's switch triggers
        made.step()
    return made


def closed(account):
    return list(Position.objects.filter(account=account, status="CLOSED").select_related("bot"))


@pytest.mark.parametrize("by", KEYS)
def test_profit_by_any_group_is_what_its_positions_made(past, by):
    groups = defaultdict(list)
    for position in closed(past.account):
        groups[KEYS[by](position)].append(position)
    assert len(closed(past.account)) > 5
    found = profit_rows.results_by(by, past.account.pk, ALL)
    assert set(found) == set(groups)
    for key, positions in groups.items():
        one, made = found[key], [p.realised for p in positions]
        with exact():
            assert (one.profit, one.fees) == (sum(made, ZERO), sum((p.fees for p in positions), ZERO))
        assert (one.closed, one.best, one.worst) == (len(made), max(made), min(made))
        assert (one.wins, one.losses) == (sum(m > 0 for m in made), sum(m < 0 for m in made))
        held = sum((p.closed_at - p.opened_at).total_seconds() for p in positions)
        assert one.held_s == pytest.approx(held, abs=0.01 * len(made))


def test_all_groups_make_the_books_but_for_what_is_open(past):
    """Closed positions and what open ones have realised so far: the portfolio's realised profit, to the last digit."""
    portfolio = Portfolio.objects.get(account=past.account)
    opened = Position.objects.filter(account=past.account).exclude(status="CLOSED")
    for by in KEYS:
        whole = together(profit_rows.results_by(by, past.account.pk, ALL).values())
        with exact():
            assert whole.profit + sum((p.realised for p in opened), ZERO) == portfolio.realised
            assert whole.fees + sum((p.fees for p in opened), ZERO) == portfolio.fees


def test_another_account_is_another_report(past):
    other = History(Random(3))
    for _ in range(40):
        other.step()
    names = {bot.name for bot in other.bots}
    assert not names & set(profit_rows.results_by("bot", past.account.pk, ALL))
    assert not names & set(cost_rows.costs_by("bot", past.account, ALL))
    assert {lot.bot for lot in tax_rows.lots(past.account.pk)} <= {bot.name for bot in past.bots}
    assert set(equity_rows.bot_days(past.account.pk, ALL)) <= {bot.pk for bot in past.bots}


def test_a_period_has_its_begin_and_not_its_end():
    bot, midnight = make_bot(), datetime(2026, 3, 1, tzinfo=UTC)
    inside = Period("a month", midnight, datetime(2026, 4, 1, tzinfo=UTC))
    for number, (at, profit) in enumerate(
        [(midnight - timedelta(microseconds=1), 1), (midnight, 2), (midnight + timedelta(days=30, hours=23), 4),
         (midnight + timedelta(days=31), 8)]
    ):  # fmt: skip
        Position.objects.create(
            account=bot.account, bot=bot, symbol=bot.symbol, status="CLOSED", entry_slot=number, stop_price=D(1),
            realised=D(profit), created_at=at, opened_at=at - timedelta(hours=1), closed_at=at,
        )  # fmt: skip
    (one,) = profit_rows.results_by("bot", bot.account_id, inside).values()
    assert one.profit == 6
    assert one.average_held_s == pytest.approx(3600, abs=0.01)
    assert last_days(1, date(2026, 3, 1)).since == midnight
    assert whole_year(2026).until == datetime(2027, 1, 1, tzinfo=UTC)


def test_costs_are_what_the_fills_say(past):
    groups = defaultdict(list)
    for trade in Trade.objects.filter(account=past.account).select_related("order__bot"):
        groups[trade.order.bot.name].append(trade)
    found = cost_rows.costs_by("bot", past.account, ALL)
    assert set(found) == set(groups)
    for name, trades in groups.items():
        notional = slippage = fees = ZERO
        with exact():
            for one in trades:
                base, _, quote = one.symbol.partition("/")
                worth = {base: one.price, quote: D(1)}.get(one.fee_currency, one.fee_rate)
                sign = 1 if one.side == Side.BUY else -1
                notional += one.price * one.amount
                slippage += sign * (one.price - one.order.reference_price) * one.amount
                fees += one.fee * worth
        assert (found[name].fills, found[name].notional) == (len(trades), notional)
        assert (found[name].slippage, found[name].fees) == (slippage, fees)
    whole = costs_together(found.values())
    assert whole.fees == Portfolio.objects.get(account=past.account).fees, "the ledger's fees, to the last digit"
    for by in cost_rows.GROUPS:
        assert costs_together(cost_rows.costs_by(by, past.account, ALL).values()) == whole


def test_a_fill_without_a_fee_needs_no_rate(past):
    before = costs_together(cost_rows.costs_by("bot", past.account, ALL).values())
    one = Trade.objects.filter(fee_currency="USDT").first()
    fee = one.fee
    Trade.objects.filter(pk=one.pk).update(fee=ZERO, fee_currency="BNB", fee_rate=None)
    after = costs_together(cost_rows.costs_by("bot", past.account, ALL).values())
    assert after.fills == before.fills
    with exact():
        assert after.fees == before.fees - fee
    assert sum(1 for _ in tax_rows.lots(past.account.pk)) == after.fills


def test_disposals_and_what_is_left_are_the_cash(past):
    matched = match(tax_rows.lots(past.account.pk))
    trades = Trade.objects.filter(account=past.account)
    with exact():
        cash = sum((one.cash_change for one in trades), ZERO)
        elsewhere = sum((_elsewhere(one) for one in trades), ZERO)
        gains = sum((one.gain for one in matched.disposals), ZERO)
        left = sum((lot.value + lot.fee for lot in matched.lots), ZERO)
        assert gains - left == cash - elsewhere
    held = defaultdict(lambda: ZERO)
    for position in Position.objects.filter(account=past.account):
        held[position.symbol] += position.quantity + position.dust
    for symbol, quantity in held.items():
        assert sum((lot.amount for lot in matched.lots if lot.symbol == symbol), ZERO) == quantity


def _elsewhere(trade):
    base, _, quote = trade.symbol.partition("/")
    return ZERO if trade.fee_currency in (base, quote) else trade.fee * trade.fee_rate


def test_the_years_of_a_tax_report_add_up(past):
    sales = list(Trade.objects.filter(side="SELL").order_by("pk").values_list("pk", flat=True))
    later = Trade.objects.filter(pk__gte=sales[len(sales) // 2])
    later.update(executed_at=datetime(2025, 6, 1, tzinfo=UTC))
    years = tax_rows.sales_by_year(past.account.pk)
    assert set(years) == {2024, 2025}
    reports = {year: find.tax(past.account, year) for year in years}
    everything = match(tax_rows.lots(past.account.pk))
    with exact():
        gains = sum((D(total_record(one.sums)["gain"]) for one in reports.values()), ZERO)
        assert gains == sum((one.gain for one in everything.disposals), ZERO)
    for year, one in reports.items():
        assert all(row["disposed_at"].startswith(str(year)) for row in records(one.disposals))
        with exact():
            assert sum((D(row["gain"]) for row in records(one.disposals)), ZERO) == D(total_record(one.sums)["gain"])
    assert len(reports[2025].carried.rows) == len(everything.lots)
    assert reports[2024].carried.rows != reports[2025].carried.rows


def snapshot(account, bot, at, equity, realised):
    EquitySnapshot.objects.create(
        account=account, bot=bot, market_at=at, equity=D(equity), realised=D(realised), unrealised=ZERO
    )


def test_the_last_snapshot_of_each_day_counts():
    bot = make_bot()
    begin = datetime.combine(date(2026, 1, 1), time(12), tzinfo=UTC)
    for day in (0, 1, 3):
        for hour in (0, 3, 11):
            equity, at = 1000 + day * 10 + hour, begin + timedelta(days=day, hours=hour, minutes=59)
            snapshot(bot.account, None, at, equity, equity - 1000)
    days = equity_rows.account_days(bot.account_id, ALL)
    assert [(one.day.day, one.equity) for one in days[1:]] == [
        (1, D("1011")),
        (2, D("1021")),
        (4, D("1041")),
    ]
    assert (days[0].day, days[0].equity) == (date(2025, 12, 31), D("1000"))
    assert {one.capital for one in days} == {D(1000)}
    since = Period("later", since=datetime(2026, 1, 2, tzinfo=UTC), until=datetime(2026, 1, 4, tzinfo=UTC))
    days = equity_rows.account_days(bot.account_id, since)
    assert [(one.day.day, one.equity) for one in days] == [(1, D("1011")), (2, D("1021"))]
    assert equity_rows.bot_days(bot.account_id, ALL) == {}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6 * 86_400), st.integers(1, 10**6)), max_size=40),
    st.integers(0, 6), st.integers(0, 7),
)  # fmt: skip
def test_days_are_those_of_a_plain_look_at_all_snapshots(rows, since_day, number):
    """Whatever the snapshots and the period: as if all rows had been read and grouped by day."""
    account, other = make_account(), make_account()
    bots = [make_bot(account), make_bot(account)]
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    for place, second, equity in rows:
        for owner, of in ((bots[place], account), (None, account), (None, other)):
            snapshot(of, owner, begin + timedelta(seconds=second), equity + (of is other), 0)
    since = begin + timedelta(days=since_day)
    period = Period("some days", since, since + timedelta(days=number))
    found = {None: equity_rows.account_days(account.pk, period), **equity_rows.bot_days(account.pk, period)}
    for owner in (None, *(bot.pk for bot in bots)):
        mine = EquitySnapshot.objects.filter(account=account, bot_id=owner).order_by("market_at", "pk")
        last_of = {one.market_at.date(): one.equity for one in mine if since <= one.market_at < period.until}
        values = found.get(owner, [])
        assert {one.day: one.equity for one in values[1:]} == last_of
        if last_of:
            before = [one.equity for one in mine if one.market_at < since]
            assert values[0].day < values[1].day
            assert not before or values[0].equity == before[-1]


def test_what_capital_moved_is_no_return(past):
    """The statistics of an account whose capital moved: its return is near its profit / its capital."""
    for day, equity in enumerate(["100000", "100000", "150000", "151500", "51500"]):
        capital = ["100000", "100000", "150000", "150000", "50000"][day]
        profit = D(equity) - D(capital)
        snapshot(past.account, None, now_at().market_at + timedelta(days=day), equity, str(profit))
    (row, *_) = records(find.figures(past.account, ALL))
    assert row["total_return"] == pytest.approx(0.01)
    assert row["cagr"] is None, "too few days"


profits = st.lists(st.tuples(st.decimals(-1000, 1000, places=12), st.sampled_from("abc"), st.sampled_from("xyz")))


@given(profits)
def test_by_any_grouping_the_total_is_the_same(rows):
    whole = result_of([profit for profit, _, _ in rows])
    for place in (1, 2):
        groups = defaultdict(list)
        for row in rows:
            groups[row[place]].append(row[0])
        results = [result_of(group) for group in groups.values()]
        assert together(results) == whole
        with exact():
            assert sum((abs(one.profit) for one in results), ZERO) == moved(results)


def test_figures_of_a_few_positions_by_hand():
    one = result_of([D(30), D(-10), D(-10), D(0)], [D(1)] * 4, 400.0)
    assert (one.closed, one.wins, one.losses, one.profit, one.fees) == (4, 1, 2, D(10), D(4))
    assert (one.win_rate, one.expectancy, one.profit_factor) == (D("0.25"), D("2.5"), D("1.5"))
    assert (one.average_win, one.average_loss, one.best, one.worst) == (D(30), D(-10), D(30), D(-10))
    assert one.average_held_s == 100
    nothing = result_of([])
    assert (nothing.win_rate, nothing.expectancy, nothing.profit_factor, nothing.best) == (None, None, None, None)
