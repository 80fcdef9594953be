"""Pairs: taken in as one, bound once, and ended by the first of the two that trades or triggers."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from tests.simexchange.desk import PAIR, Desk, Prices, flat, open_desk

CALM = (100.0, 100.0, 100.0, 100.0)
LIMIT_ABOVE = {"Type": "LIMIT_MAKER", "Price": "101", "ClientOrderId": "profit"}
STOP_BELOW = {"Type": "STOP_LOSS", "StopPrice": "99", "ClientOrderId": "loss"}
STOP_LIMIT_BELOW = STOP_BELOW | {"Type": "STOP_LOSS_LIMIT", "Price": "98", "TimeInForce": "GTC"}
LIMIT_BELOW = {"Type": "LIMIT_MAKER", "Price": "99"}
STOP_LIMIT_ABOVE = {"Type": "STOP_LOSS_LIMIT", "StopPrice": "101", "Price": "102", "TimeInForce": "GTC"}


def desk_with(directory: Path, *candles: Prices) -> Desk:
    return open_desk(directory, {PAIR: [CALM, *candles, *flat(candles[-1][3] if candles else 100, 20)]})


def test_a_pair_binds_its_base_once(tmp_path: Path) -> None:
    desk = desk_with(tmp_path)
    answer = desk.oco("SELL", LIMIT_ABOVE, STOP_BELOW, quantity="3", listClientOrderId="pair")
    assert (answer["orderListId"], answer["contingencyType"]) == (0, "OCO")
    assert (answer["listStatusType"], answer["listOrderStatus"]) == ("EXEC_STARTED", "EXECUTING")
    assert [order["clientOrderId"] for order in answer["orders"]] == ["loss", "profit"]
    assert [report["type"] for report in answer["orderReports"]] == ["STOP_LOSS", "LIMIT_MAKER"]
    assert desk.held("BTC") == (D(997), D(3))
    assert {order["orderListId"] for order in desk.ask("GET", "openOrders")} == {0}
    assert desk.ask("GET", "openOrderList") == [{k: v for k, v in answer.items() if k != "orderReports"}]


def test_a_pair_that_buys_binds_the_dearer_cost(tmp_path: Path) -> None:
    desk = desk_with(tmp_path)
    desk.oco("BUY", STOP_LIMIT_ABOVE, LIMIT_BELOW, quantity="2")
    assert desk.held("USDT") == (D(100_000 - 204), D(204))


@pytest.mark.parametrize(
    ("candle", "filled", "expired", "asset"),
    [((100, 102, 100, 100), "profit", "loss", "BTC"), ((100, 100, 98.5, 100), "loss", "profit", "BTC")],
)
@pytest.mark.parametrize("below", [STOP_BELOW, STOP_LIMIT_BELOW])
def test_one_cancels_the_other(
    tmp_path: Path, candle: Prices, filled: str, expired: str, asset: str, below: dict[str, str]
) -> None:
    desk = desk_with(tmp_path, candle)
    desk.oco("SELL", LIMIT_ABOVE, below, listClientOrderId="pair")
    desk.after(5)
    statuses = {
        name: desk.ask("GET", "order", symbol="BTCUSDT", origClientOrderId=name)["status"]
        for name in ("profit", "loss")
    }
    assert statuses == {filled: "FILLED", expired: "EXPIRED"}
    assert desk.held(asset) == (D(999), D(0))
    pair = desk.ask("GET", "orderList", origClientOrderId="pair")
    assert (pair["listStatusType"], pair["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert desk.ask("GET", "openOrderList") == []
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["orderListId"] == 0


def test_a_triggered_order_ends_its_pair_before_it_is_filled(tmp_path: Path) -> None:
    """The gap jumps over the stop's limit: it rests alone, and the pair is still executing."""
    desk = desk_with(tmp_path, (95, 95, 95, 95))
    desk.oco("SELL", LIMIT_ABOVE, STOP_LIMIT_BELOW)
    desk.after(2)
    assert [(order["clientOrderId"], order["status"]) for order in desk.ask("GET", "openOrders")] == [("loss", "NEW")]
    assert desk.ask("GET", "openOrderList")[0]["listOrderStatus"] == "EXECUTING"
    assert desk.held("BTC") == (D(999), D(1))
    assert desk.status(2) == "EXPIRED"


def test_a_partial_fill_ends_the_other_and_keeps_the_rest_bound(tmp_path: Path) -> None:
    desk = desk_with(tmp_path, (100, 101.01, 100, 100))
    desk.oco("SELL", LIMIT_ABOVE, STOP_BELOW, quantity="400")
    order = desk.after(5).ask("GET", "order", symbol="BTCUSDT", origClientOrderId="profit")
    assert order["status"] == "PARTIALLY_FILLED"
    assert desk.status(1) == "EXPIRED"
    assert desk.held("BTC") == (D(600), D(400) - D(order["executedQty"]))


def test_cancelling_one_order_cancels_the_pair(tmp_path: Path) -> None:
    desk = desk_with(tmp_path)
    for cancel in (
        lambda: desk.ask("DELETE", "order", symbol="BTCUSDT", origClientOrderId="profit", newClientOrderId="end"),
        lambda: desk.ask("DELETE", "orderList", symbol="BTCUSDT", listClientOrderId="pair", newClientOrderId="end"),
        lambda: desk.ask("DELETE", "openOrders", symbol="BTCUSDT")[0],
    ):
        desk.oco("SELL", LIMIT_ABOVE, STOP_BELOW, listClientOrderId="pair")
        answer = cancel()
        assert (answer["listOrderStatus"], answer["listClientOrderId"]) == ("ALL_DONE", "pair")
        assert [report["status"] for report in answer["orderReports"]] == ["CANCELED", "CANCELED"]
        assert [report["origClientOrderId"] for report in answer["orderReports"]] == ["loss", "profit"]
        assert desk.held("BTC") == (D(1000), D(0))
        assert desk.ask("DELETE", "orderList", symbol="BTCUSDT", listClientOrderId="pair")["code"] == -2011
    assert [pair["orderListId"] for pair in desk.ask("GET", "allOrderList")] == [0, 1, 2]
    assert [pair["orderListId"] for pair in desk.ask("GET", "allOrderList", fromId=1, limit=1)] == [1]


def test_the_older_request_means_the_same(tmp_path: Path) -> None:
    desk = desk_with(tmp_path)
    given: dict[str, Any] = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "price": "101", "stopPrice": "99"}
    plain = desk.ask("POST", "order/oco", **given, stopClientOrderId="loss", limitClientOrderId="profit")
    assert [order["clientOrderId"] for order in plain["orders"]] == ["loss", "profit"]
    assert [report["type"] for report in plain["orderReports"]] == ["STOP_LOSS", "LIMIT_MAKER"]
    limited = desk.ask("POST", "order/oco", **given, stopLimitPrice="98", stopLimitTimeInForce="GTC")
    assert [report["price"] for report in limited["orderReports"]] == ["98.00000000", "101.00000000"]
    bought = desk.ask("POST", "order/oco", **given | {"side": "BUY", "price": "99", "stopPrice": "101"})
    assert [report["stopPrice"] for report in bought["orderReports"][:1]] == ["101.00000000"]
    assert desk.ask("POST", "order/oco", **given, stopLimitPrice="98")["code"] == -1102
    assert desk.ask("POST", "order/oco", **given, stopLimitTimeInForce="GTC")["code"] == -1106
    assert desk.ask("POST", "order/oco", **given, limitIcebergQty="0.5")["code"] == -2010


PROFIT_ABOVE = {"Type": "TAKE_PROFIT", "StopPrice": "101"}
PROFIT_BELOW = {"Type": "TAKE_PROFIT", "StopPrice": "99"}
STOP_ABOVE = {"Type": "STOP_LOSS", "StopPrice": "101"}


@pytest.mark.parametrize(
    ("side", "above", "below", "code"),
    [
        ("SELL", PROFIT_ABOVE, STOP_BELOW, None),
        ("BUY", STOP_ABOVE, PROFIT_BELOW, None),
        ("SELL", LIMIT_ABOVE, LIMIT_BELOW, -1168),
        ("SELL", STOP_ABOVE, LIMIT_BELOW, -1166),
        ("BUY", LIMIT_ABOVE, STOP_BELOW, -1165),
        ("SELL", STOP_ABOVE, STOP_BELOW, -1197),
        ("BUY", STOP_ABOVE, STOP_BELOW, -1196),
        ("SELL", PROFIT_ABOVE, PROFIT_BELOW, -1199),
        ("BUY", PROFIT_ABOVE, PROFIT_BELOW, -1198),
        ("SELL", {"Type": "LIMIT", "Price": "101", "TimeInForce": "GTC"}, STOP_BELOW, -1158),
        ("SELL", {"Type": "SOMETHING"}, STOP_BELOW, -1116),
        ("SELL", {"Type": "LIMIT_MAKER"}, STOP_BELOW, -1102),
        ("SELL", LIMIT_ABOVE | {"TimeInForce": "GTC"}, STOP_BELOW, -1106),
        ("SELL", LIMIT_ABOVE, STOP_LIMIT_BELOW | {"TimeInForce": "GTX"}, -1115),
        ("SELL", LIMIT_ABOVE | {"Price": "100"}, STOP_BELOW, -2010),
        ("SELL", LIMIT_ABOVE, STOP_BELOW | {"StopPrice": "100"}, -2010),
        ("SELL", LIMIT_ABOVE | {"ClientOrderId": "loss"}, STOP_BELOW, -2010),
        ("SELL", LIMIT_ABOVE | {"Price": "101.005"}, STOP_BELOW, -1013),
    ],
)
def test_which_orders_make_a_pair(
    tmp_path: Path, side: str, above: dict[str, str], below: dict[str, str], code: int | None
) -> None:
    desk = desk_with(tmp_path)
    answer = desk.oco(side, above, below)
    assert answer.get("code") == code
    assert len(desk.ask("GET", "openOrders")) == (2 if code is None else 0)


def test_refusals_of_pairs(tmp_path: Path) -> None:
    desk = desk_with(tmp_path)
    desk.oco("SELL", LIMIT_ABOVE, STOP_BELOW, listClientOrderId="pair")
    other = {"above": LIMIT_ABOVE | {"ClientOrderId": "a"}, "below": STOP_BELOW | {"ClientOrderId": "b"}}
    again = desk.oco("SELL", other["above"], other["below"], listClientOrderId="pair")
    assert again == {"code": -2010, "msg": "Duplicate order sent."}
    desk.order("LIMIT", "SELL", "800", price="105")
    assert "insufficient balance" in desk.oco("SELL", other["above"], other["below"], quantity="200")["msg"]
    assert desk.ask("GET", "orderList", orderListId=7) == {"code": -2018, "msg": "Order list does not exist."}
    assert desk.ask("GET", "orderList")["code"] == -1102
    assert desk.ask("GET", "allOrderList", fromId=1, startTime=5)["code"] == -1128
