"""Fills become figures that always add up, to the last digit."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_FLOOR, localcontext
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.ledger import COST_STEP, Holding, apply_fill, cash_change, paid_elsewhere, unrealised
from market.money import ROUNDED, ZERO, exact
from market.orders import Fill, Side

AT = datetime(2026, 1, 1, tzinfo=UTC)


def fill(price, amount, fee="0", currency="USDT", trade_id="t1"):
    return Fill(trade_id, D(price), D(amount), D(fee), currency, AT)


def buy(holding, *args, **kwargs):
    return apply_fill(holding, Side.BUY, fill(*args), "BTC", "USDT", **kwargs)


def sell(holding, *args, **kwargs):
    return apply_fill(holding, Side.SELL, fill(*args), "BTC", "USDT", **kwargs)


HELD = Holding(quantity=D(2), cost=D(200))

TABLE = {
    "buy, quote fee": (Side.BUY, HELD, ("110", "1", "0.11", "USDT"), Holding(D(3), D(310), D("-0.11"), D("0.11"))),
    "buy, base fee": (
        Side.BUY,
        HELD,
        ("110", "1", "0.001", "BTC"),
        Holding(D("2.999"), D("309.89"), D("-0.11"), D("0.11")),
    ),
    "sell half": (Side.SELL, HELD, ("110", "1", "0.11", "USDT"), Holding(D(1), D(100), D("9.89"), D("0.11"))),
    "sell all": (Side.SELL, HELD, ("90", "2", "0.18", "USDT"), Holding(D(0), D(0), D("-20.18"), D("0.18"))),
    "sell, base fee": (
        Side.SELL,
        HELD,
        ("110", "1", "0.5", "BTC"),
        Holding(D("0.5"), D(50), D("-40"), D(55)),
    ),
    "sell all, base fee": (
        Side.SELL,
        HELD,
        ("110", "1.5", "0.5", "BTC"),
        Holding(D(0), D(0), D("-35"), D(55)),
    ),
}


@pytest.mark.parametrize(("side", "before", "traded", "after"), TABLE.values(), ids=TABLE.keys())
def test_one_fill(side, before, traded, after):
    assert apply_fill(before, side, fill(*traded), "BTC", "USDT") == after


def test_a_fee_in_a_third_currency_is_converted_at_the_rate_given():
    bought = buy(Holding(), "100", "1", "0.001", "BNB", fee_rate_quote=D(600))
    assert bought == Holding(D(1), D(100), D("-0.6"), D("0.6"))
    assert cash_change(Side.BUY, fill("100", "1", "0.001", "BNB"), "USDT") == D(-100)


@pytest.mark.parametrize("rate", [None, D(0), D(-1), D("NaN"), D("Infinity")])
def test_a_fee_in_a_third_currency_needs_its_rate(rate):
    with pytest.raises(ValueError, match="BNB needs its price in USDT"):
        buy(Holding(), "100", "1", "0.001", "BNB", fee_rate_quote=rate)


def test_only_a_fee_in_a_third_currency_is_paid_elsewhere():
    third = replace(fill("100", "1", "0.001", "BNB"), fee_rate=D(600))
    assert paid_elsewhere(third, "BTC", "USDT") == D("0.6")
    assert paid_elsewhere(third, "BNB", "USDT") == paid_elsewhere(third, "BTC", "BNB") == 0
    with pytest.raises(ValueError, match="needs its price"):
        paid_elsewhere(replace(third, fee_rate=None), "BTC", "USDT")


def test_no_fee_needs_no_rate():
    assert buy(Holding(), "100", "1", "0", "BNB") == Holding(D(1), D(100))


@pytest.mark.parametrize("traded", [("110", "2.00000001"), ("110", "2", "0.00000001", "BTC")])
def test_more_than_is_held_is_not_sold(traded):
    with pytest.raises(ValueError, match="only 2 held"):
        sell(HELD, *traded)


@pytest.mark.parametrize(
    "traded", [("0", "1"), ("-1", "1"), ("1", "0"), ("1", "-1"), ("NaN", "1"), ("1", "Infinity"), ("1", "1", "NaN")]
)
def test_a_fill_that_makes_no_sense_is_not_booked(traded):
    with pytest.raises(ValueError, match="must be"):
        buy(HELD, *traded)


def test_a_base_fee_cannot_exceed_what_was_bought():
    with pytest.raises(ValueError, match="more than"):
        buy(HELD, "100", "1", "1.1", "BTC")


def test_the_residue_of_rounding_goes_to_the_last_close():
    holding = Holding(quantity=D(3), cost=D(100))
    for expected in (D("66.666666666667"), D("33.333333333333"), ZERO):
        holding = sell(holding, "50", "1")
        assert holding.cost == expected
    assert holding.realised == D(50)


def amounts(largest):
    return st.decimals("0.00000001", largest, places=8)


steps = st.lists(
    st.tuples(
        st.booleans(),  # a buy
        amounts("200000"),  # price
        amounts("50000"),  # amount bought
        st.integers(1, 100),  # percent of the holding sold
        st.decimals("0", "0.002", places=6),  # fee rate
        st.sampled_from(["USDT", "BTC", "BNB"]),
        amounts("2000"),  # what a unit of a third fee currency costs
    ),
    max_size=12,
)


def _on_grid(value):
    """As an exchange books it: at most 12 decimals."""
    with localcontext(ROUNDED):
        return value.quantize(COST_STEP, rounding=ROUND_FLOOR)


def play(plan):
    """The holding, the quote cash and what was paid elsewhere after the plan; a sell of nothing held is skipped."""
    holding, cash, elsewhere = Holding(), ZERO, ZERO
    for is_buy, price, bought, percent, fee_rate, currency, rate in plan:
        side = Side.BUY if is_buy else Side.SELL
        with exact():
            # A base fee on a sell needs room in the holding: at most half of it is sold then.
            share = D(percent) / (200 if currency == "BTC" else 100)
            amount = bought if is_buy else _on_grid(holding.quantity * share)
            fee = _on_grid(amount * fee_rate * (price if currency == "USDT" else 1))
        if not amount:
            continue
        one = Fill("t", price, amount, fee, currency, AT, rate)
        holding = apply_fill(holding, side, one, "BTC", "USDT", fee_rate_quote=rate)
        with exact():
            cash += cash_change(side, one, "USDT")
            elsewhere += paid_elsewhere(one, "BTC", "USDT")
    return holding, cash, elsewhere


@given(steps, amounts("200000"))
def test_cash_and_holding_equal_realised_and_unrealised(plan, mark):
    holding, cash, elsewhere = play(plan)
    with exact():
        assert cash + holding.quantity * mark == holding.realised + unrealised(holding, mark) + elsewhere


@given(steps, amounts("200000"))
def test_a_closed_position_has_no_cost_and_realised_what_the_cash_says(plan, price):
    holding, cash, elsewhere = play(plan)
    if holding.quantity:
        last = Fill("last", price, holding.quantity, ZERO, "USDT", AT)
        holding = apply_fill(holding, Side.SELL, last, "BTC", "USDT")
        with exact():
            cash += cash_change(Side.SELL, last, "USDT")
    assert (holding.quantity, holding.cost) == (0, 0)
    with exact():
        assert holding.realised == cash - elsewhere


@given(steps)
def test_neither_quantity_nor_cost_is_ever_negative(plan):
    for length in range(len(plan) + 1):
        holding, _, _ = play(plan[:length])
        assert holding.quantity >= 0
        assert holding.cost >= 0


def test_rounding_up_never_takes_more_cost_than_there_is():
    holding = Holding(quantity=D(1000), cost=D("6e-13"))
    assert sell(holding, "1", "999").cost == 0
    assert holding.cost < COST_STEP


def test_values_are_not_changed_in_place():
    before = replace(HELD)
    buy(HELD, "1", "1")
    assert before == HELD
