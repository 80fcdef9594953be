"""Return, risk and drawdown: hand-computed tables, and what must hold for any series."""

from datetime import date, timedelta
from decimal import Decimal as D
from math import sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradingplatform.reports.statistics import (
    LEAST_DAYS,
    DayValue,
    annual,
    daily_returns,
    max_drawdown,
    statistics,
    without_gaps,
)

FIRST = date(2026, 1, 1)


def day(number):
    return FIRST + timedelta(days=number)


def values(*pairs):
    """Equity and capital of one day after the other."""
    return [DayValue(day(n), D(equity), D(capital)) for n, (equity, capital) in enumerate(pairs)]


FLOWS = {
    "nothing moved": ([("100", "100"), ("110", "100")], [0.1]),
    "a deposit is no profit": ([("100", "100"), ("200", "200")], [0.0]),
    "a withdrawal is no loss": ([("100", "100"), ("40", "40")], [0.0]),
    "profit on what came in, too": ([("100", "100"), ("220", "200")], [0.1]),
    "profit on what went out later": ([("100", "100"), ("60", "50")], [0.1]),
    "all taken out, and nothing after": ([("100", "100"), ("0", "0"), ("0", "0")], [0.0, 0.0]),
    "a loss, then back": ([("100", "100"), ("50", "100"), ("100", "100")], [-0.5, 1.0]),
}


@pytest.mark.parametrize(("pairs", "returns"), FLOWS.values(), ids=FLOWS.keys())
def test_daily_returns(pairs, returns):
    assert daily_returns(values(*pairs)) == pytest.approx(returns)


@pytest.mark.parametrize("low", [7, 14, 29, 50, 97])
def test_equity_that_is_back_to_the_last_digit_has_recovered(low):
    """Though the product of the two returns is 0.9999999999999993."""
    fall = statistics(values((100, 100), (low, 100), (100, 100))).drawdown
    assert (fall.begin, fall.trough, fall.recovery, fall.days) == (day(0), day(1), day(2), 2)


DRAWDOWNS = {
    "never fell": ([1, 1, 2], (0, 0, 0, 0, 0)),
    "fell and came back": ([1, 2, 1, 2, 3], (0.5, 1, 2, 3, 2)),
    "not back yet": ([1, 4, 1, 3], (0.75, 1, 2, None, 2)),
    "the deeper of two": ([1, 0.9, 1, 0.8, 1.1], (0.2, 2, 3, 4, 2)),
    "the first of two that are as deep": ([1, 0.5, 1, 0.5, 1], (0.5, 0, 1, 2, 2)),
    "back is as high, not higher": ([2, 1, 2], (0.5, 0, 1, 2, 2)),
}


@pytest.mark.parametrize(("wealth", "expected"), DRAWDOWNS.values(), ids=DRAWDOWNS.keys())
def test_maximum_drawdown(wealth, expected):
    found = max_drawdown([day(n) for n in range(len(wealth))], wealth)
    depth, begin, trough, recovery, days = expected
    assert found.depth == pytest.approx(depth)
    assert (found.begin, found.trough, found.days) == (day(begin), day(trough), days)
    assert found.recovery == (None if recovery is None else day(recovery))


def test_figures_by_the_year():
    """+2 % and -1 % in turn, by hand: mean 0.005, deviation sqrt(4 x 0.015^2 / 3), downside sqrt(2 x 0.01^2 / 4)."""
    returns = [0.02, -0.01, 0.02, -0.01]
    wealth = 1.02**2 * 0.99**2
    found = annual(returns, wealth, 0.01)
    assert found.cagr == pytest.approx(wealth ** (365 / 4) - 1)
    assert found.volatility == pytest.approx(0.01732050808 * sqrt(365))
    assert found.sharpe == pytest.approx(0.005 / 0.01732050808 * sqrt(365))
    assert found.sortino == pytest.approx(0.005 / 0.00707106781 * sqrt(365))
    assert found.calmar == pytest.approx(found.cagr / 0.01)


def test_where_nothing_varies_there_is_no_ratio():
    found = annual([0.0] * 40, 1.0, 0.0)
    assert (found.cagr, found.volatility, found.sharpe, found.sortino, found.calmar) == (0.0, 0.0, None, None, None)
    always_up = annual([0.01, 0.02], 1.0302, 0.0)
    assert always_up.sharpe is not None
    assert always_up.sortino is None
    assert annual([-1.0, 0.0], 0.0, 1.0).cagr == -1.0


def test_too_few_days_tell_nothing_by_the_year():
    short = statistics(values(*[("100", "100")] * LEAST_DAYS))
    assert (short.days, short.annual) == (LEAST_DAYS - 1, None)
    assert statistics(values(*[("100", "100")] * (LEAST_DAYS + 1))).annual is not None
    assert statistics([]) is None
    assert statistics(values(("100", "100"))) is None


def test_a_day_without_a_value_counts_as_unchanged():
    sparse = [DayValue(day(0), D(100), D(100)), DayValue(day(3), D(121), D(100))]
    assert [value.day for value in without_gaps(sparse)] == [day(n) for n in range(4)]
    found = statistics(sparse)
    assert (found.days, found.missing) == (3, 2)
    assert found.total_return == pytest.approx(0.21)


def test_days_must_ascend():
    with pytest.raises(ValueError, match="does not come after"):
        statistics([DayValue(day(1), D(1), D(1)), DayValue(day(1), D(1), D(1))])


moves = st.lists(st.tuples(st.integers(-40, 60), st.integers(-50, 100)), min_size=1, max_size=60)


@given(moves, st.integers(1, 1000))
def test_any_flows_leave_the_return_as_it_is(plan, scale):
    """The same daily returns on other money, with deposits at the day's begin: the same statistics."""
    plain, moved = [DayValue(day(0), D(1000), D(1000))], [DayValue(day(0), D(scale), D(scale))]
    for number, (percent, flow) in enumerate(plan, start=1):
        before, other = plain[-1], moved[-1]
        plain.append(DayValue(day(number), before.equity * (100 + percent) / 100, before.capital))
        came = abs(D(flow))
        equity = (other.equity + came) * (100 + percent) / 100
        moved.append(DayValue(day(number), equity, other.capital + came))
    assert daily_returns(moved) == pytest.approx(daily_returns(plain), abs=1e-9)
    assert statistics(moved).drawdown.depth == pytest.approx(statistics(plain).drawdown.depth, abs=1e-9)


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
def test_no_fall_is_deeper_than_the_maximum(wealth):
    days = [day(n) for n in range(len(wealth))]
    deepest = max(1 - low / high for n, high in enumerate(wealth) for low in wealth[n:])
    found = max_drawdown(days, wealth)
    assert found.depth == pytest.approx(max(deepest, 0.0))
    assert found.begin <= found.trough <= (found.recovery or days[-1])
