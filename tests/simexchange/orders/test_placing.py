"""What a new order does at once: takes, rests, waits or is refused; and what it binds meanwhile."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from simexchange.faults.fault import Fault, Where
from tests.simexchange.desk import PAIR, Desk, flat, open_desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """The price stands at 100.00, the best offers at 99.99 and 100.01, ten BTC and more on each level."""
    return open_desk(tmp_path, {PAIR: flat(100, 600)})


def test_a_resting_buy_binds_its_cost(desk: Desk) -> None:
    answer = desk.order("LIMIT", price="99.5", quantity="2")
    assert (answer["status"], answer["fills"], answer["executedQty"]) == ("NEW", [], "0.00000000")
    assert desk.held("USDT") == (D(100_000) - 199, D(199))
    account = desk.ask("GET", "account")["balances"]
    assert {"asset": "USDT", "free": "99801.00000000", "locked": "199.00000000"} in account
    assert [order["orderId"] for order in desk.ask("GET", "openOrders", symbol="BTCUSDT")] == [1]


def test_a_resting_sell_binds_its_base(desk: Desk) -> None:
    desk.order("LIMIT", "SELL", price="100.5", quantity="2")
    assert desk.held("BTC") == (D(998), D(2))


def test_a_limit_that_crosses_takes_at_the_better_price(desk: Desk) -> None:
    answer = desk.order("LIMIT", price="101", quantity="1")
    assert answer["status"] == "FILLED"
    assert [fill["price"] for fill in answer["fills"]] == ["100.01000000"]
    assert desk.held("USDT") == (D(100_000) - D("100.01"), D(0))
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["isMaker"] is False


def test_what_a_limit_cannot_take_rests_and_is_bound(desk: Desk) -> None:
    answer = desk.order("LIMIT", price="100.01", quantity="100")
    executed, spent = D(answer["executedQty"]), D(answer["cummulativeQuoteQty"])
    assert answer["status"] == "PARTIALLY_FILLED"
    assert 0 < executed < 100
    assert desk.held("USDT") == (D(100_000) - D(10001), D(10001) - spent)
    assert spent == executed * D("100.01")


@pytest.mark.parametrize(
    ("time_in_force", "quantity", "status", "filled"),
    [
        ("IOC", "1", "FILLED", "all"),
        ("IOC", "100", "EXPIRED", "some"),
        ("FOK", "1", "FILLED", "all"),
        ("FOK", "100", "EXPIRED", "none"),
    ],
)
def test_orders_that_do_not_rest(desk: Desk, time_in_force: str, quantity: str, status: str, filled: str) -> None:
    answer = desk.order("LIMIT", price="100.01", quantity=quantity, timeInForce=time_in_force)
    share = D(answer["executedQty"]) / D(quantity)
    assert answer["status"] == status
    assert {"all": share == 1, "some": 0 < share < 1, "none": share == 0}[filled]
    assert desk.held("USDT")[1] == 0
    assert desk.ask("GET", "openOrders") == []


def test_a_maker_rests_or_is_refused(desk: Desk) -> None:
    assert desk.order("LIMIT_MAKER", price="100")["status"] == "NEW"
    refused = desk.order("LIMIT_MAKER", price="100.01")
    assert refused == {"code": -2010, "msg": "Order would immediately match and take."}


STOPS = [
    ("STOP_LOSS", "SELL", "99", "100"),
    ("STOP_LOSS", "BUY", "101", "100"),
    ("TAKE_PROFIT", "SELL", "101", "100"),
    ("TAKE_PROFIT", "BUY", "99", "100"),
]


@pytest.mark.parametrize(("kind", "side", "away", "reached"), STOPS)
@pytest.mark.parametrize("limited", [False, True])
def test_a_stop_waits_unless_the_price_is_there(
    desk: Desk, kind: str, side: str, away: str, reached: str, limited: bool
) -> None:
    more: dict[str, Any] = {"price": away} if limited else {}
    kind = f"{kind}_LIMIT" if limited else kind
    assert desk.order(kind, side, stopPrice=away, **more)["status"] == "NEW"
    order = desk.ask("GET", "order", symbol="BTCUSDT", orderId=1)
    assert (order["isWorking"], order["workingTime"], order["stopPrice"]) == (False, -1, f"{away}.00000000")
    assert desk.held("BTC" if side == "SELL" else "USDT")[1] == (1 if side == "SELL" else D(away))
    refused = desk.order(kind, side, stopPrice=reached, **more)
    assert refused == {"code": -2010, "msg": "Stop price would trigger immediately."}


@pytest.mark.parametrize(
    ("kind", "side", "quantity", "more"),
    [
        ("LIMIT", "BUY", "1005", {"price": "99.51"}),
        ("LIMIT", "SELL", "1000.001", {"price": "101"}),
        ("STOP_LOSS", "BUY", "499.999", {"stopPrice": "201"}),
        ("STOP_LOSS_LIMIT", "SELL", "1000.001", {"stopPrice": "99", "price": "98"}),
        ("LIMIT", "SELL", "1000.001", {"price": "99"}),
    ],
)
def test_more_than_there_is(desk: Desk, kind: str, side: str, quantity: str, more: dict[str, str]) -> None:
    refused = desk.order(kind, side, quantity, **more)
    assert refused == {"code": -2010, "msg": "Account has insufficient balance for requested action."}
    assert desk.exchange.ledger.everything() == ([], [])


def test_a_client_id_is_unique_among_open_orders_only(desk: Desk) -> None:
    desk.order("LIMIT", price="99", newClientOrderId="mine")
    assert desk.order("MARKET", newClientOrderId="mine") == {"code": -2010, "msg": "Duplicate order sent."}
    desk.ask("DELETE", "order", symbol="BTCUSDT", origClientOrderId="mine")
    for _ in range(2):
        assert desk.order("MARKET", newClientOrderId="mine")["status"] == "FILLED"
    assert desk.ask("GET", "order", symbol="BTCUSDT", origClientOrderId="mine")["orderId"] == 3


def test_every_type_can_be_tested_without_a_trace(desk: Desk) -> None:
    wishes: list[tuple[str, dict[str, str]]] = [
        ("LIMIT", {"price": "99", "timeInForce": "GTC"}),
        ("LIMIT_MAKER", {"price": "99"}),
        ("MARKET", {}),
        ("STOP_LOSS", {"stopPrice": "101"}),
        ("STOP_LOSS_LIMIT", {"stopPrice": "101", "price": "101", "timeInForce": "GTC"}),
        ("TAKE_PROFIT", {"stopPrice": "99"}),
        ("TAKE_PROFIT_LIMIT", {"stopPrice": "99", "price": "99", "timeInForce": "FOK"}),
    ]
    for kind, more in wishes:
        given = {"symbol": "BTCUSDT", "side": "BUY", "type": kind, "quantity": "1"} | more
        assert desk.ask("POST", "order/test", **given) == {}
        assert desk.ask("POST", "order/test", **given | {"quantity": "0.01"})["code"] == -1013
    assert desk.exchange.ledger.everything() == ([], [])


# -- own orders in the way: a sell rests at 100.02, a buy would take up to 100.05 --------------------------------------
def cross(desk: Desk, mode: str, quantity: str) -> tuple[str, str, D]:
    """Statuses of the resting and the taking order, and how much the taking one got."""
    desk.order("LIMIT", "SELL", price="100.02", quantity="3")
    taker = desk.order("LIMIT", price="100.05", quantity=quantity, selfTradePreventionMode=mode)
    return desk.status(1), taker["status"], D(taker["executedQty"])


def test_the_resting_order_gives_way(desk: Desk) -> None:
    assert cross(desk, "EXPIRE_MAKER", "60") == ("EXPIRED_IN_MATCH", "FILLED", 60)
    assert desk.held("BTC")[1] == 0


def test_the_resting_order_stays_when_it_is_not_reached(desk: Desk) -> None:
    assert cross(desk, "EXPIRE_MAKER", "0.1") == ("NEW", "FILLED", D("0.1"))


def test_the_taking_order_gives_way(desk: Desk) -> None:
    maker, taker, got = cross(desk, "EXPIRE_TAKER", "60")
    assert (maker, taker) == ("NEW", "EXPIRED_IN_MATCH")
    assert 0 < got < 60


def test_both_give_way(desk: Desk) -> None:
    assert cross(desk, "EXPIRE_BOTH", "60")[:2] == ("EXPIRED_IN_MATCH", "EXPIRED_IN_MATCH")
    assert desk.held("BTC")[1] == 0
    assert desk.held("USDT")[1] == 0


# -- how soon a new order can be asked for, and how many may be sent ---------------------------------------------------
@pytest.fixture
def slow_desk(desk: Desk) -> Desk:
    desk.exchange.faults.add([Fault("query_lag", {"lag_ms": 500}, Where("GET", "/api/v3/order"))], desk.at)
    return desk


def test_a_new_order_is_not_found_at_once(slow_desk: Desk) -> None:
    slow_desk.order("MARKET", newClientOrderId="mine")
    query = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    slow_desk.at += 499
    assert slow_desk.ask("GET", "order", **query)["code"] == -2013
    assert len(slow_desk.ask("GET", "myTrades", symbol="BTCUSDT")) == 1
    slow_desk.at += 1
    assert slow_desk.ask("GET", "order", **query)["status"] == "FILLED"


def test_neither_are_the_orders_of_a_pair_nor_one_that_replaces(slow_desk: Desk) -> None:
    """Also where only half of a replacement went well and the answer is an error."""
    slow_desk.oco("SELL", {"Type": "LIMIT_MAKER", "Price": "101"}, {"Type": "STOP_LOSS", "StopPrice": "99"})
    wish = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "1", "cancelOrderId": 77}
    answer = slow_desk.ask("POST", "order/cancelReplace", cancelReplaceMode="ALLOW_FAILURE", **wish)
    assert answer["code"] == -2021
    ids = (1, 2, answer["data"]["newOrderResponse"]["orderId"])
    queries = [{"symbol": "BTCUSDT", "orderId": order_id} for order_id in ids]
    assert [slow_desk.ask("GET", "order", **query)["code"] for query in queries] == [-2013] * 3
    slow_desk.at += 500
    assert [slow_desk.ask("GET", "order", **query)["status"] for query in queries] == ["NEW", "NEW", "FILLED"]


def test_orders_that_trade_do_not_count(desk: Desk) -> None:
    def count() -> list[int]:
        return [row["count"] for row in desk.ask("GET", "rateLimit/order")]

    for _ in range(3):
        desk.order("LIMIT", price="99")
    assert count() == [3, 3]
    desk.order("MARKET")
    assert count() == [3, 3]
    desk.oco("SELL", {"Type": "LIMIT_MAKER", "Price": "101"}, {"Type": "STOP_LOSS", "StopPrice": "99"})
    assert count() == [5, 5]
    desk.exchange.order_count.ten_seconds.used = 99
    assert (
        desk.oco("SELL", {"Type": "LIMIT_MAKER", "Price": "101"}, {"Type": "STOP_LOSS", "StopPrice": "99"})["code"]
        == -1015
    )
    desk.exchange.order_count.ten_seconds.used = 100
    assert desk.order("MARKET")["code"] == -1015


def test_the_count_of_orders_knows_what_the_market_has_filled_meanwhile(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, {PAIR: [*flat(100, 1), (100, 100, 90, 100), *flat(100, 5)]})
    desk.order("LIMIT", price="95")
    assert [row["count"] for row in desk.ask("GET", "rateLimit/order")] == [1, 1]
    assert desk.after(3).ask("GET", "rateLimit/order")[1]["count"] == 0


def test_many_orders_and_fills_can_be_read_page_by_page(tmp_path: Path) -> None:
    """From a time or an id on the oldest come first; otherwise the latest are told."""
    desk = open_desk(tmp_path, {PAIR: flat(100, 20)})
    for minute in range(5):
        desk.after(minute).order("MARKET", quantity="0.1")
    times = [fill["time"] for fill in desk.ask("GET", "myTrades", symbol="BTCUSDT")]
    for path, number in (("myTrades", "id"), ("allOrders", "orderId")):

        def ids(path: str = path, number: str = number, **page: int) -> list[int]:
            return [row[number] for row in desk.ask("GET", path, symbol="BTCUSDT", limit=2, **page)]

        assert ids() == [4, 5]
        assert ids(startTime=times[1]) == [2, 3]
        assert ids(startTime=times[1], endTime=times[1]) == [2]
        assert ids(endTime=times[3]) == [3, 4]
    assert [row["id"] for row in desk.ask("GET", "myTrades", symbol="BTCUSDT", fromId=2, limit=2)] == [2, 3]
    assert [row["orderId"] for row in desk.ask("GET", "allOrders", symbol="BTCUSDT", orderId=2, limit=2)] == [2, 3]
    assert [row["id"] for row in desk.ask("GET", "myTrades", symbol="BTCUSDT", orderId=4)] == [4]
