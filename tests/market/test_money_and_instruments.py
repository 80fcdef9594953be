"""Exactness of money, and the rounding that belongs to an instrument."""

from decimal import Decimal, Inexact, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.instruments import Instrument
from market.money import canonical, exact, ratio

STEPS = st.sampled_from(["1e-8", "0.00001", "0.01", "0.05", "0.25", "1", "10", "1000"]).map(Decimal)
AMOUNTS = st.decimals(min_value=0, max_value=10**12, places=12)


def instrument(tick: Decimal = Decimal("0.01"), step: Decimal = Decimal("0.001"), **changed: object) -> Instrument:
    fields = {
        "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "tick_size": tick, "lot_step": step,
        "min_amount": step, "max_amount": Decimal(100), "min_notional": Decimal(5),
    }  # fmt: skip
    return Instrument(**{**fields, **changed})


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_canonical_keeps_the_value_and_has_one_spelling(value):
    text = canonical(value)
    assert Decimal(text) == value
    assert canonical(Decimal(text)) == text
    assert "E" not in text.upper()
    assert text == "0" or not text.startswith("-0") or value < 0


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_canonical_refuses_what_is_no_number(text):
    with pytest.raises(ValueError, match="finite"):
        canonical(Decimal(text))


@pytest.mark.parametrize(
    ("text", "spelling"),
    [("1.50", "1.5"), ("1E+3", "1000"), ("-0.00", "0"), ("0E-8", "0"), ("100", "100"), ("1e-8", "0.00000001")],
)
def test_canonical_spellings(text, spelling):
    assert canonical(Decimal(text)) == spelling


def test_exact_raises_where_the_default_context_loses_a_digit():
    big, small = Decimal("12345678901234567890.123456789012345678"), Decimal("0.123456789012345678")
    with exact():
        assert big * small - small * big == 0
        assert (big + small) - big == small
        with pytest.raises(Inexact):
            Decimal(1) / 3


@given(part=st.decimals(-(10**9), 10**9, places=8), whole=st.decimals(-(10**9), 10**9, places=8))
def test_ratio_is_within_half_of_its_last_digit(part, whole):
    if not whole:
        assert ratio(part, whole) == 0
        return
    with exact() as context:
        context.traps[Inexact] = False
        assert abs(ratio(part, whole) * whole - part) <= abs(whole) * Decimal("0.5e-12")


@given(amount=AMOUNTS, step=STEPS)
def test_amount_goes_down_to_the_step(amount, step):
    rounded = instrument(step=step).round_amount_down(amount)
    with exact():
        assert rounded <= amount < rounded + step
        assert rounded % step == 0
    assert instrument(step=step).round_amount_down(rounded) == rounded


@given(price=AMOUNTS, tick=STEPS)
def test_price_up_and_down_enclose_the_price(price, tick):
    item = instrument(tick=tick)
    down, near, up = item.round_price_down(price), item.round_price(price), item.round_price_up(price)
    with exact():
        assert down <= price <= up
        assert up - down in (0, tick)
        assert near in (down, up)
        assert abs(near - price) <= tick / 2


@given(ticks=st.integers(1, 10**9), tick=st.sampled_from(["0.01", "0.00001", "1e-8", "0.1"]).map(Decimal))
def test_a_price_survives_the_way_through_a_float(ticks, tick):
    price = ticks * tick
    assert instrument(tick=tick).price_from_float(float(price)) == price


@pytest.mark.parametrize("price", [float("nan"), float("inf"), float("-inf")])
def test_a_float_that_is_no_price_is_refused(price):
    with pytest.raises(ValueError, match="finite"):
        instrument().price_from_float(price)


@pytest.mark.parametrize(
    ("amount", "price", "changed", "words"),
    [
        ("0.01", "1000", {}, None),
        ("0.005", "1000", {}, None),  # exactly the least notional
        ("100", "1000", {}, None),  # exactly the most
        ("0.01", "1000", {"active": False}, "not trading"),
        ("0.0105", "1000", {}, "multiple of the lot step"),
        ("0", "1000", {}, "below the minimum 0.001 BTC"),
        ("100.001", "1000", {}, "above the maximum 100 BTC"),
        ("0.004", "1000", {}, "below the minimum 5 USDT"),
    ],
)
def test_why_not(amount, price, changed, words):
    reason = instrument(**changed).why_not(Decimal(amount), Decimal(price))
    assert reason is None if words is None else words in reason


def test_division_by_a_step_of_zero_is_loud():
    with pytest.raises((InvalidOperation, ZeroDivisionError)):
        instrument(step=Decimal(0)).round_amount_down(Decimal(1))
