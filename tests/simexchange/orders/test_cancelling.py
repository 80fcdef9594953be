"""Cancels: of one order, of all, and of one for another."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from tests.simexchange.desk import PAIR, Desk, flat, open_desk

UNKNOWN = {"code": -2011, "msg": "Unknown order sent."}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """100.00 for a minute, a low of 98 in the next one, then 99.50."""
    return open_desk(tmp_path, {PAIR: [*flat(100, 1), (100, 100, 98, 99.5), *flat(99.5, 20)]})


def test_a_cancelled_order_is_told_and_gives_back_what_it_bound(desk: Desk) -> None:
    desk.order("LIMIT", price="99.2", quantity="2", newClientOrderId="mine")
    desk.at += 5
    answer = desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=1, newClientOrderId="cancel")
    assert (answer["origClientOrderId"], answer["clientOrderId"]) == ("mine", "cancel")
    assert (answer["status"], answer["transactTime"]) == ("CANCELED", desk.at)
    assert desk.held("USDT") == (D(100_000), D(0))
    order = desk.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="mine")
    assert (order["status"], order["updateTime"]) == ("CANCELED", desk.at)
    assert desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=1) == UNKNOWN


def test_both_ids_must_mean_the_same_order(desk: Desk) -> None:
    desk.order("LIMIT", price="99", newClientOrderId="one")
    desk.order("LIMIT", price="99", newClientOrderId="two")
    assert desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=1, origClientOrderId="two") == UNKNOWN
    assert desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=2, origClientOrderId="two")["orderId"] == 2


def test_a_cancel_that_comes_after_the_fill_is_refused(desk: Desk) -> None:
    """Nobody has looked in between: the market was faster all the same."""
    desk.order("LIMIT", price="99", newClientOrderId="mine")
    assert desk.after(2).ask("DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine") == UNKNOWN
    assert desk.status(1) == "FILLED"


def test_a_cancel_of_a_partly_filled_order_keeps_its_fills(desk: Desk) -> None:
    desk.order("LIMIT", price="100.02", quantity="200")
    answer = desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=1)
    executed = D(answer["executedQty"])
    assert answer["status"] == "CANCELED"
    assert 0 < executed < 200
    spent = D(answer["cummulativeQuoteQty"])
    assert desk.held("USDT") == (D(100_000) - spent, D(0))
    assert sum(D(trade["qty"]) for trade in desk.ask("GET", "myTrades", symbol="BTCUSDT", orderId=1)) == executed


@pytest.mark.parametrize(("restriction", "price", "allowed"), [
    ("ONLY_NEW", "99.9", True),
    ("ONLY_PARTIALLY_FILLED", "99.9", False),
    ("ONLY_NEW", "100.01", False),
    ("ONLY_PARTIALLY_FILLED", "100.01", True),
])  # fmt: skip
def test_restrictions(desk: Desk, restriction: str, price: str, allowed: bool) -> None:
    desk.order("LIMIT", price=price, quantity="100")
    answer = desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=1, cancelRestrictions=restriction)
    assert answer.get("code") == (None if allowed else -2011)
    assert desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=1, cancelRestrictions="NEVER")["code"] == -1145


def test_everything_open_on_a_symbol(desk: Desk) -> None:
    assert desk.ask("DELETE", "openOrders", symbol="BTCUSDT") == UNKNOWN
    desk.order("LIMIT", price="99")
    desk.order("STOP_LOSS", "SELL", stopPrice="98")
    answers = desk.ask("DELETE", "openOrders", symbol="BTCUSDT")
    assert [(answer["orderId"], answer["status"]) for answer in answers] == [(1, "CANCELED"), (2, "CANCELED")]
    assert desk.held("USDT")[1] == desk.held("BTC")[1] == 0


# -- cancel-replace ----------------------------------------------------------------------------------------------------
def replace(desk: Desk, mode: str, order_id: int, **change: str) -> Any:
    given = {"symbol": "BTCUSDT", "side": "SELL", "type": "LIMIT_MAKER", "quantity": "600", "price": "101"} | change
    return desk.ask("POST", "order/cancelReplace", cancelReplaceMode=mode, cancelOrderId=order_id, **given)


@pytest.fixture
def stopped(desk: Desk) -> Desk:
    """A stop binds 600 of 1000 BTC: a new order for 600 fits only once it is gone."""
    for number in range(2):
        desk.order("STOP_LOSS", "SELL", "300", stopPrice="97", newClientOrderId=f"stop-{number}")
    desk.order("LIMIT", "SELL", "300", price="105")
    return desk


@pytest.mark.parametrize(
    ("mode", "cancel_id", "change", "code", "cancelled", "placed", "open_ids"),
    [
        ("STOP_ON_FAILURE", 1, {"quantity": "400"}, None, "SUCCESS", "SUCCESS", [2, 3, 4]),
        ("STOP_ON_FAILURE", 9, {"quantity": "1"}, -2022, "FAILURE", "NOT_ATTEMPTED", [1, 2, 3]),
        ("ALLOW_FAILURE", 9, {"quantity": "1"}, -2021, "FAILURE", "SUCCESS", [1, 2, 3, 4]),
        ("STOP_ON_FAILURE", 1, {"price": "99"}, -2021, "SUCCESS", "FAILURE", [2, 3]),
        ("ALLOW_FAILURE", 9, {"price": "99"}, -2022, "FAILURE", "FAILURE", [1, 2, 3]),
    ],
)
def test_what_came_of_both_halves(
    stopped: Desk, mode: str, cancel_id: int, change: dict[str, str], code: int | None, cancelled: str, placed: str,
    open_ids: list[int],
) -> None:  # fmt: skip
    answer = replace(stopped, mode, cancel_id, **change)
    assert answer.get("code") == code
    data = answer if code is None else answer["data"]
    assert (data["cancelResult"], data["newOrderResult"]) == (cancelled, placed)
    refused = {"code": -2011, "msg": "Unknown order sent."}
    assert data["cancelResponse"] == refused if cancelled == "FAILURE" else data["cancelResponse"]["orderId"] == 1
    if placed == "FAILURE":
        assert data["newOrderResponse"] == {"code": -2010, "msg": "Order would immediately match and take."}
    assert (data["newOrderResponse"] is None) == (placed == "NOT_ATTEMPTED")
    assert [order["orderId"] for order in stopped.ask("GET", "openOrders")] == open_ids


def test_a_filter_stops_it_before_anything_is_done(stopped: Desk) -> None:
    assert replace(stopped, "STOP_ON_FAILURE", 1, quantity="0.0001")["code"] == -1013
    assert replace(stopped, "PERHAPS", 1)["code"] == -1130
    assert len(stopped.ask("GET", "openOrders")) == 3


def test_a_stop_becomes_a_market_sale_in_one_request(stopped: Desk) -> None:
    answer = stopped.ask(
        "POST", "order/cancelReplace", symbol="BTCUSDT", side="SELL", type="MARKET", quantity="300",
        cancelReplaceMode="STOP_ON_FAILURE", cancelOrigClientOrderId="stop-0", cancelNewClientOrderId="gone",
    )  # fmt: skip
    assert answer["cancelResponse"]["clientOrderId"] == "gone"
    assert answer["newOrderResponse"]["status"] == "FILLED"
