"""A simulated market order costs what the model says, the same every time, and never flatters."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from decimal import localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.fills import CostModel, Costs, draw, market_fill
from market.instruments import Instrument
from market.money import ROUNDED
from market.orders import OrderRequest, OrderType, Side

AT = datetime(2026, 1, 1, tzinfo=UTC)
BTC = Instrument("BTC/USDT", "BTC", "USDT", D("0.01"), D("0.00001"), D("0.00001"), D(9000), D(5))
SHIB = Instrument("SHIB/USDT", "SHIB", "USDT", D("0.00000001"), D(1), D(1), D("1e12"), D(1))


def order(side=Side.BUY, amount="0.5", kind=OrderType.MARKET, client_order_id="bot7-1"):
    return OrderRequest(client_order_id, "BTC/USDT", side, kind, D(amount))


def test_the_costs_of_an_order_are_the_same_on_every_machine():
    assert draw(CostModel(), "bot7-1") == Costs(D("4.199"), D("0.00016694"), 2)


@given(st.text())
def test_costs_lie_in_the_model_and_on_its_grid(client_order_id):
    model = CostModel()
    costs = draw(model, client_order_id)
    assert draw(model, client_order_id) == costs
    assert model.slippage_bp_min <= costs.slippage_bp <= model.slippage_bp_max
    assert model.fee_rate_min <= costs.fee_rate <= model.fee_rate_max
    assert model.latency_ms_min <= costs.latency_ms <= model.latency_ms_max
    assert costs.slippage_bp % D("0.001") == 0
    assert costs.fee_rate % D("1e-8") == 0


def test_costs_are_spread_over_the_whole_range():
    many = [draw(CostModel(), f"order-{i}") for i in range(2000)]
    assert {costs.latency_ms for costs in many} == {1, 2, 3, 4, 5}
    slippage = [float(costs.slippage_bp) for costs in many]
    assert abs(sum(slippage) / len(slippage) - 6) < 0.2  # five standard errors of a uniform draw on 2 to 10
    assert min(slippage) < 2.1
    assert max(slippage) > 9.9


def test_a_model_of_one_point_draws_it():
    assert draw(CostModel(D(3), D(3), D(0), D(0), 0, 0), "x") == Costs(D(3), D(0), 0)


@pytest.mark.parametrize(
    ("figures", "named"),
    [
        ({"slippage_bp_min": D(11)}, "slippage_bp"),
        ({"slippage_bp_min": D(-1)}, "slippage_bp"),
        ({"slippage_bp_max": D("NaN")}, "slippage_bp"),
        ({"slippage_bp_max": D(1001)}, "slippage_bp"),
        ({"fee_rate_max": D("0.5")}, "fee_rate"),
        ({"latency_ms_min": 6}, "latency_ms"),
    ],
)
def test_a_model_that_makes_no_sense_is_not_built(figures, named):
    with pytest.raises(ValueError, match=named):
        CostModel(**figures)


COSTS = Costs(D(5), D("0.0001"), 3)


def test_a_buy_pays_more_than_the_best_price():
    bought = market_fill(order(Side.BUY), D("60000.01"), COSTS, BTC, AT)
    assert bought.price == D("60030.02")  # 60030.010005, up to the tick
    assert bought.fee == D("3.001501")
    assert (bought.amount, bought.fee_currency, bought.trade_id) == (D("0.5"), "USDT", "bot7-1.1")
    assert bought.executed_at == AT + timedelta(milliseconds=3)


def test_a_sell_gets_less_than_the_best_price():
    sold = market_fill(order(Side.SELL), D("60000.01"), COSTS, BTC, AT)
    assert sold.price == D("59970.00")  # 59970.009995, down to the tick
    assert sold.fee == D("2.9985")


def test_a_sell_at_the_smallest_price_still_gets_one_tick():
    assert market_fill(order(Side.SELL), SHIB.tick_size, COSTS, SHIB, AT).price == SHIB.tick_size


@given(
    st.sampled_from(Side),
    st.sampled_from([BTC, SHIB]),
    st.integers(10_000, 10**13),
    st.integers(1, 10**12),
    st.text(),
)
def test_a_fill_never_flatters(side, instrument, ticks, lots, client_order_id):
    best, amount = instrument.tick_size * ticks, instrument.lot_step * lots
    costs = draw(CostModel(), client_order_id)
    request = OrderRequest(client_order_id, instrument.symbol, side, OrderType.MARKET, amount)
    filled = market_fill(request, best, costs, instrument, AT)
    with localcontext(ROUNDED):
        sign = 1 if side is Side.BUY else -1
        cost = sign * (filled.price / best - 1) * 10_000
        assert costs.slippage_bp <= cost < costs.slippage_bp + instrument.tick_size / best * 10_000
        assert 0 <= filled.fee - filled.price * amount * costs.fee_rate < D("1e-12")
    assert instrument.round_price(filled.price) == filled.price


@pytest.mark.parametrize("price", ["0", "-1", "NaN", "Infinity"])
def test_no_fill_without_a_price(price):
    with pytest.raises(ValueError, match="price must be positive"):
        market_fill(order(), D(price), COSTS, BTC, AT)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN"])
def test_no_fill_without_an_amount(amount):
    with pytest.raises(ValueError, match="amount must be positive"):
        market_fill(order(amount=amount), D(1), COSTS, BTC, AT)


@pytest.mark.parametrize("kind", [OrderType.LIMIT, OrderType.STOP_LOSS_LIMIT])
def test_only_market_orders_fill_at_the_market(kind):
    with pytest.raises(ValueError, match="does not fill at the market"):
        market_fill(order(kind=kind), D(1), COSTS, BTC, AT)


def test_a_naive_time_is_no_time():
    with pytest.raises(ValueError, match="no time zone"):
        market_fill(order(), D(1), COSTS, BTC, AT.replace(tzinfo=None))
