"""A size risks what it may, fits its caps, and shrinks after losses."""

from dataclasses import replace
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.instruments import Instrument
from risk.limits import BotLimits
from risk.sizing import RISK_PER_TRADE, size, streak_factor

BTC = Instrument("BTC/USDT", "BTC", "USDT", D("0.01"), D("0.001"), D("0.001"), D(100), D(5))
LIMITS = BotLimits()


def sized(capital="5000", equity="5000", price="100", stop="90", losses=0, instrument=BTC):
    stop_price = None if stop is None else D(stop)
    return size(D(capital), D(equity), D(price), stop_price, losses, LIMITS, instrument)


TABLE = {
    "risk decides": ({"stop": "90"}, "5", "5"),
    "the largest position decides": ({"stop": "99"}, "12.5", "12.5"),
    "a loser risks less": ({"equity": "4000"}, "4", "4"),
    "a winner does not risk more": ({"equity": "9000"}, "5", "5"),
    "down to the lot step": ({"stop": "93"}, "7.142", "7.142"),
    "three losses": ({"losses": 3}, "2.5", "5"),
    "four losses": ({"losses": 4}, "1.25", "5"),
    "down to the lot step again after losses": ({"stop": "93", "losses": 4}, "1.785", "7.142"),
    "many losses": ({"losses": 60}, "0.5", "5"),
    "the exchange's largest amount": ({"capital": "9e6", "equity": "9e6"}, "100", "100"),
}


@pytest.mark.parametrize(("given_", "amount", "normal"), TABLE.values(), ids=TABLE.keys())
def test_sizes(given_, amount, normal):
    result = sized(**given_)
    assert (result.amount, result.normal_amount) == (D(amount), D(normal))
    assert result.why


NOTHING = {
    "below the minimum notional": ({"capital": "4", "equity": "4"}, "below the minimum 5 USDT"),
    "below one lot": ({"capital": "0.1", "equity": "0.1"}, "rounds down to 0"),
    "below the minimum after losses": ({"capital": "60", "equity": "60", "losses": 9}, "below the minimum 5 USDT"),
    "not trading": ({"instrument": replace(BTC, active=False)}, "not trading"),
    "no stop": ({"stop": None}, "stop below the price"),
    "stop at the price": ({"stop": "100"}, "stop below the price"),
    "stop of zero": ({"stop": "0"}, "positive figures"),
    "no equity": ({"equity": "0"}, "positive figures"),
    "negative equity": ({"equity": "-1"}, "positive figures"),
    "NaN price": ({"price": "NaN"}, "positive figures"),
    "infinite capital": ({"capital": "Infinity"}, "positive figures"),
}


@pytest.mark.parametrize(("given_", "why"), NOTHING.values(), ids=NOTHING.keys())
def test_nothing_is_bought_for_a_reason(given_, why):
    result = sized(**given_)
    assert result.amount == 0
    assert why in result.why


@pytest.mark.parametrize(
    ("losses", "factor"), [(0, "1"), (2, "1"), (3, "0.5"), (4, "0.25"), (5, "0.125"), (6, "0.1"), (999_999, "0.1")]
)
def test_the_streak_factor(losses, factor):
    assert streak_factor(losses, LIMITS) == D(factor)


@given(
    st.decimals("10", "100000", places=2),
    st.decimals("10", "100000", places=2),
    st.decimals("0.01", "90000", places=2),
    st.decimals("0.01", "90000", places=2),
    st.integers(0, 9),
    st.sampled_from(["0.1", "0.3", "0.07"]),
)
def test_a_size_respects_risk_cap_streak_and_exchange(capital, equity, price, stop, losses, floor):
    limits = BotLimits(streak_floor=D(floor))
    result = size(capital, equity, price, stop, losses, limits, BTC)
    assert 0 <= result.amount <= streak_factor(losses, limits) * result.normal_amount
    if result.amount:
        stake = min(capital, equity)
        assert stop < price
        assert result.amount * (price - stop) <= stake * RISK_PER_TRADE
        assert result.amount * price <= stake * limits.max_position
        assert BTC.why_not(result.amount, price) is None
