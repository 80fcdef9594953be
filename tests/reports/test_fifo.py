"""First in, first out: by hand, and by what must hold for any series of fills."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_FLOOR, localcontext
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.ledger import COST_STEP, cash_change, paid_elsewhere
from market.money import ROUNDED, ZERO, exact
from market.orders import Fill, Side
from tradingplatform.reports.fifo import lot_of, match

BEGIN = datetime(2025, 12, 30, tzinfo=UTC)


def fill(number, price, amount, fee="0", currency="USDT", rate=None, days=None):
    at = BEGIN + timedelta(days=number if days is None else days)
    return Fill(f"t{number}", D(price), D(amount), D(fee), currency, at, rate)


def bought(number, *args, symbol="BTC/USDT", bot="a", **kwargs):
    return lot_of(symbol, Side.BUY, bot, fill(number, *args, **kwargs))


def sold(number, *args, symbol="BTC/USDT", bot="a", **kwargs):
    return lot_of(symbol, Side.SELL, bot, fill(number, *args, **kwargs))


def test_the_oldest_lot_goes_first_whichever_bot_bought_it():
    matched = match([bought(0, "100", "2", "0.4"), bought(1, "200", "1", bot="b"), sold(3, "300", "2.5", "1", bot="b")])
    first, second = matched.disposals
    assert (first.acquired_trade, first.acquired_by, first.disposed_by) == ("t0", "a", "b")
    assert (first.amount, first.proceeds, first.cost) == (D(2), D(600), D(200))
    assert (first.fees, first.gain) == (D("1.2"), D("398.8"))
    assert (second.amount, second.proceeds, second.cost, second.fees) == (D("0.5"), D("150"), D("100"), D("0.2"))
    assert (first.holding_days, second.holding_days) == (3, 2)
    assert [(lot.trade_id, lot.amount, lot.value) for lot in matched.lots] == [("t1", D("0.5"), D(100))]


def test_fees_in_base_and_in_a_third_currency_count_at_their_price():
    lot = bought(0, "100", "1", "0.001", "BTC")
    assert (lot.amount, lot.value, lot.fee) == (D("0.999"), D("99.9"), D("0.1"))
    out = sold(1, "200", "0.5", "0.001", "BTC")
    assert (out.amount, out.value, out.fee) == (D("0.501"), D("100.2"), D("0.2"))
    assert bought(0, "100", "1", "0.001", "BNB", D(600)).fee == D("0.6")
    with pytest.raises(ValueError, match="BNB needs its price in USDT"):
        bought(0, "100", "1", "0.001", "BNB")


def test_more_than_was_bought_is_not_disposed_of():
    with pytest.raises(ValueError, match=r"fill t1 sells 1 of BTC/USDT more than was bought by .*verify_ledger"):
        match([bought(0, "100", "1"), sold(1, "100", "2")])
    with pytest.raises(ValueError, match="more than was bought"):
        match([bought(0, "100", "1", symbol="ETH/USDT"), sold(1, "100", "1")])
    with pytest.raises(ValueError, match="more than was bought"):
        match([bought(2, "100", "1"), sold(1, "100", "1")])


def test_of_one_moment_the_purchase_counts_first():
    assert match([sold(1, "100", "1", days=0), bought(0, "100", "1", days=0)]).lots == []


def test_parts_of_a_fee_add_up_to_it():
    matched = match([bought(0, "1", "3", "1"), *(sold(n, "1", "1") for n in (1, 2, 3))])
    parts = [one.fees for one in matched.disposals]
    assert sorted(parts) == [D("0.333333333333"), D("0.333333333333"), D("0.333333333334")]


def amounts(largest):
    return st.decimals("0.00000001", largest, places=8)


steps = st.lists(
    st.tuples(
        st.booleans(),  # a buy
        st.sampled_from(["BTC/USDT", "ETH/USDT"]),
        amounts("200000"),  # price
        amounts("50000"),  # amount bought
        st.integers(1, 100),  # percent of what is held that is sold
        st.decimals("0", "0.002", places=6),  # fee rate
        st.sampled_from(["quote", "base", "BNB"]),
        st.integers(0, 200),  # days later
    ),
    max_size=25,
)


def on_grid(value):
    with localcontext(ROUNDED):
        return value.quantize(COST_STEP, rounding=ROUND_FLOOR)


def play(plan):
    """The fills that the plan makes, as lots, with the quote that came in by them less what was paid elsewhere."""
    lots, cash, held, at = [], ZERO, Counter(), BEGIN
    for number, (is_buy, symbol, price, amount, percent, rate, paid_in, days) in enumerate(plan):
        base, at = symbol.partition("/")[0], at + timedelta(days=days)
        currency = {"quote": "USDT", "base": base}.get(paid_in, "BNB")
        with exact():
            if not is_buy:
                amount = on_grid(held[symbol] * D(percent) / (200 if paid_in == "base" else 100))
            fee = on_grid(amount * rate * (price if paid_in == "quote" else 1))
        if not amount:
            continue
        side = Side.BUY if is_buy else Side.SELL
        one = Fill(f"t{number}", price, amount, fee, currency, at, D(600) if paid_in == "BNB" else None)
        lot = lot_of(symbol, side, f"bot-{number % 3}", one)
        with exact():
            held[symbol] += lot.amount if is_buy else -lot.amount
            cash += cash_change(side, one, "USDT") - paid_elsewhere(one, base, "USDT")
        lots.append(lot)
    return lots, cash


@given(steps)
def test_gains_and_what_is_left_are_what_went_in_and_came_out(plan):
    lots, cash = play(plan)
    matched = match(lots)
    years = {one.disposed_at.year for one in matched.disposals}
    with exact():
        gains = sum(
            (sum((one.gain for one in matched.disposals if one.disposed_at.year == year), ZERO) for year in years), ZERO
        )
        left = sum((lot.value + lot.fee for lot in matched.lots), ZERO)
        assert gains - left == cash


@given(steps)
def test_first_in_first_out_and_no_lot_twice(plan):
    lots, _ = play(plan)
    matched = match(lots)
    for symbol in {lot.symbol for lot in lots}:
        order = [lot.trade_id for lot in lots if lot.symbol == symbol and lot.side is Side.BUY]
        used = [one.acquired_trade for one in matched.disposals if one.symbol == symbol]
        assert used == sorted(used, key=order.index), "the oldest first"
        left = [lot.trade_id for lot in matched.lots if lot.symbol == symbol]
        assert left == order[len(order) - len(left) :], "what is left is the youngest"
    with exact():
        taken, left_of, of_sales = Counter(), Counter(), Counter()
        for one in matched.disposals:
            taken[one.acquired_trade] += one.amount
            of_sales[one.disposed_trade] += one.amount
        for lot in matched.lots:
            left_of[lot.trade_id] += lot.amount
        for lot in lots:
            used_up = taken[lot.trade_id] + left_of[lot.trade_id] if lot.side is Side.BUY else of_sales[lot.trade_id]
            assert used_up == lot.amount


@given(steps)
def test_a_year_ends_with_the_lots_that_the_next_begins_with(plan):
    """Matching up to a year's end gives the same disposals as matching everything does."""
    lots, _ = play(plan)
    whole = match(lots).disposals
    end = datetime(2027, 1, 1, tzinfo=UTC)
    until = match(lot for lot in lots if lot.at < end)
    assert until.disposals == [one for one in whole if one.disposed_at < end]


def test_fees_of_nothing_cost_nothing():
    lot = bought(0, "1", "1", "0", "BNB")
    assert match([lot]).lots == [replace(lot)]
