"""What the filters let through: each bound from both sides."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D

import pytest

from simexchange.errors.api_error import ApiError
from simexchange.orders import filters
from simexchange.orders.order import NewOrder, Order, OrderType, Side, Status
from tests.simexchange.desk import PAIR, START_MS

AVERAGE = D(100)


def limit(price: str, quantity: str = "1") -> NewOrder:
    return NewOrder("BTCUSDT", Side.BUY, OrderType.LIMIT, "a", D(quantity), price=D(price))


def stop(stop_price: str, quantity: str = "1") -> NewOrder:
    return NewOrder("BTCUSDT", Side.SELL, OrderType.STOP_LOSS, "a", D(quantity), stop_price=D(stop_price))


CASES = [
    (limit("100"), None),
    (limit("100.001"), "PRICE_FILTER"),
    (limit("1000000.01"), "PRICE_FILTER"),
    (limit("500"), None),
    (limit("500.01"), "PERCENT_PRICE_BY_SIDE"),
    (limit("20"), None),
    (limit("19.99"), "PERCENT_PRICE_BY_SIDE"),
    (limit("100", "0.0501"), "LOT_SIZE"),
    (limit("100", "0"), "Invalid quantity."),
    (limit("100", "9000000.001"), "LOT_SIZE"),
    (limit("100", "90000"), None),
    (limit("100", "90000.001"), "NOTIONAL"),
    (limit("100", "0.05"), None),
    (limit("100", "0.049"), "NOTIONAL"),
    (limit("20", "0.25"), None),
    (limit("20", "0.249"), "NOTIONAL"),
    (stop("90"), None),
    (stop("90.005"), "PRICE_FILTER"),
    (stop("1"), "NOTIONAL"),  # at its stop price
    (stop("90", "500"), None),
    (stop("90", "500.001"), "MARKET_LOT_SIZE"),
]


@pytest.mark.parametrize(("order", "failure"), CASES)
def test_a_new_order(order: NewOrder, failure: str | None) -> None:
    if failure is None:
        filters.check(order, PAIR, AVERAGE)
        return
    with pytest.raises(ApiError) as refusal:
        filters.check(order, PAIR, AVERAGE)
    assert refusal.value.code == -1013
    assert refusal.value.msg in (failure, f"Filter failure: {failure}")


def resting(count: int, kind: OrderType, symbol: str = "BTCUSDT") -> list[Order]:
    amounts = (D(1), D(0), D(0), D(0))
    return [
        Order(symbol, number, f"{kind}{number}", Side.SELL, kind, *amounts, Status.NEW, START_MS, START_MS)
        for number in range(count)
    ]


@pytest.mark.parametrize(
    ("new", "known", "failure"),
    [
        ([limit("100")], resting(199, OrderType.LIMIT), None),
        ([limit("100")], resting(200, OrderType.LIMIT), "MAX_NUM_ORDERS"),
        ([limit("100")], resting(200, OrderType.LIMIT, "ETHUSDT"), None),
        ([replace(limit("100"), type=OrderType.MARKET)], resting(200, OrderType.LIMIT), None),
        ([stop("90")], resting(4, OrderType.STOP_LOSS), None),
        ([stop("90")], resting(5, OrderType.TAKE_PROFIT_LIMIT), "MAX_NUM_ALGO_ORDERS"),
        ([limit("100")], resting(5, OrderType.STOP_LOSS), None),
        ([stop("90"), stop("91")], resting(4, OrderType.STOP_LOSS_LIMIT), "MAX_NUM_ALGO_ORDERS"),
    ],
)
def test_how_many_may_be_open(new: list[NewOrder], known: list[Order], failure: str | None) -> None:
    if failure is None:
        filters.check_room(new, known, "BTCUSDT")
        return
    with pytest.raises(ApiError, match=failure):
        filters.check_room(new, known, "BTCUSDT")
