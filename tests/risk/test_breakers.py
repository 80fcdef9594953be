"""The breakers by their figures: at which loss they open, and how far beyond the limit that was."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.breakers import BotStanding, bot_breakers, next_day, portfolio_breaker
from risk.limits import BotLimits, PortfolioLimits

D = Decimal
LIMITS, ACCOUNT = BotLimits(), PortfolioLimits()
MONEY = st.decimals(min_value=-10_000, max_value=10_000, places=8)
POSITIVE = st.decimals(min_value=D("0.01"), max_value=10_000, places=8)


def names(capital="5000", equity="5000", peak="5000", day_start="5000"):
    start = None if day_start is None else D(day_start)
    return [fired.name for fired in bot_breakers(BotStanding(D(capital), D(equity), D(peak), start), LIMITS)]


@pytest.mark.parametrize(
    ("standing", "open_ones"),
    [
        ({}, []),
        ({"equity": "4750.00000001"}, []),
        ({"equity": "4750"}, ["daily_loss"]),  # 5 % of what was allocated, to the last digit
        ({"equity": "4750", "day_start": "4900"}, []),
        ({"equity": "9750", "peak": "10000", "day_start": "10000"}, ["daily_loss"]),  # of the capital, not of equity
        ({"equity": "4000.00000001", "day_start": "4100"}, []),
        ({"equity": "4000", "day_start": "4100"}, ["drawdown"]),
        ({"equity": "4000"}, ["drawdown", "daily_loss"]),
        ({"equity": "0"}, ["drawdown", "daily_loss"]),
        ({"equity": "-300"}, ["drawdown", "daily_loss"]),
        ({"equity": "4000", "day_start": None}, ["drawdown"]),  # nobody knows how the day began
        ({"equity": "6000", "peak": "5000", "day_start": "5000"}, []),
        ({"equity": "-1", "peak": "0", "day_start": None}, []),  # what never had money is measured by nothing
        ({"equity": "0", "peak": "0", "day_start": "0"}, []),
    ],
)
def test_which_breakers_of_a_bot_are_open(standing, open_ones):
    assert names(**standing) == open_ones


@pytest.mark.parametrize(
    ("equity", "peak", "is_open"),
    [
        ("85000.01", "100000", False),
        ("85000", "100000", True),
        ("0", "100000", True),
        ("-5", "100000", True),
        ("0", "0", False),
        ("-5", "0", False),
        ("120000", "100000", False),
    ],
)
def test_when_the_breaker_of_an_account_is_open(equity, peak, is_open):
    assert (portfolio_breaker(D(equity), D(peak), ACCOUNT) is not None) is is_open


def test_the_figures_tell_how_far_beyond_the_limit_it_was_seen():
    fired = portfolio_breaker(D("80000"), D("100000"), ACCOUNT)
    assert fired.figures() == {
        "check": "portfolio_drawdown",
        "limit": "0.15",
        "value": "0.2",
        "lost": "20000",
        "allowed": "15000",
        "overshoot": "5000",
    }
    assert fired.sentence().endswith("5,000 (5 %) beyond it")


def test_a_loss_exactly_at_the_limit_has_no_overshoot():
    [fired] = bot_breakers(BotStanding(D(5000), D(4750), D(5000), D(5000)), LIMITS)
    assert fired.overshoot == 0
    assert "beyond" not in fired.sentence()


@given(capital=POSITIVE, equity=MONEY, peak=MONEY, day_start=st.none() | MONEY)
def test_whatever_the_money_a_breaker_that_opens_has_lost_at_least_its_limit(capital, equity, peak, day_start):
    for fired in bot_breakers(BotStanding(capital, equity, peak, day_start), LIMITS):
        assert fired.overshoot >= 0
        assert fired.lost >= fired.allowed > 0
        assert fired.figures()


@given(equity=MONEY, peak=POSITIVE, fall=st.decimals(min_value=0, max_value=1_000, places=8))
def test_a_breaker_that_is_open_stays_open_when_more_is_lost(equity, peak, fall):
    if portfolio_breaker(equity, peak, ACCOUNT):
        assert portfolio_breaker(equity - fall, max(peak, equity), ACCOUNT)


@pytest.mark.parametrize(
    ("at", "over"),
    [
        (datetime(2024, 3, 10, tzinfo=UTC), datetime(2024, 3, 11, tzinfo=UTC)),
        (datetime(2024, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC), datetime(2024, 2, 29, tzinfo=UTC)),
        (datetime(2024, 12, 31, 12, tzinfo=UTC), datetime(2025, 1, 1, tzinfo=UTC)),
    ],
    ids=["midnight", "a leap year", "new year's eve"],
)
def test_a_day_ends_at_midnight_utc(at, over):
    assert next_day(at) == over
