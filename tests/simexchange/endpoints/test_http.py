"""Answers over HTTP: shapes, headers, error codes. One exchange for all of it."""

from __future__ import annotations

import http.client
import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from simexchange.__main__ import build_exchange
from simexchange.cli import parse
from simexchange.endpoints import trading
from simexchange.exchange import Call
from simexchange.orders.ledger import Ledger
from simexchange.requests.params import Params

NOW_MS = 1_760_000_000_000

AMOUNT = re.compile(r"^-?\d+\.\d{8}$")


def shape(value: Any) -> Any:
    """What a value looks like: keys and types all the way down, lists by their first item."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    if isinstance(value, str) and re.fullmatch(r"-?\d+\.\d+", value):
        return "amount" if AMOUNT.match(value) else "number"
    return type(value).__name__


def first(recorded: Any, method: str = "GET", kind: type = dict) -> Any:
    return next(entry["data"] for entry in recorded[method] if isinstance(entry["data"], kind))


def test_exchange_info_looks_like_the_recorded_one(running: Any, recorded: Any) -> None:
    status, answer = running.request("GET", "/api/v3/exchangeInfo")
    theirs = first(recorded("api_v3_exchangeInfo.json"))
    bitcoin = next(item for item in theirs["symbols"] if item["symbol"] == "BTCUSDT")
    assert status == 200
    assert answer.keys() == theirs.keys()
    assert answer["rateLimits"] == theirs["rateLimits"]
    assert len(answer["symbols"]) == 13
    for mine in answer["symbols"]:
        assert mine.keys() == bitcoin.keys()
        assert [shape(item) for item in mine["filters"]] == [shape(item) for item in bitcoin["filters"]]
    assert answer["symbols"][0]["filters"][0] == bitcoin["filters"][0]


def test_private_answers_have_every_recorded_field(running: Any, recorded: Any) -> None:
    running.request("POST", "/api/v3/order", signed=True, symbol="BNBUSDT", side="BUY", type="MARKET", quantity="1")
    account = running.request("GET", "/api/v3/account", signed=True)[1]
    theirs = first(recorded("api_v3_account.json"))
    assert theirs.keys() <= account.keys()
    assert shape(account["balances"][0]) == shape(theirs["balances"][0])
    orders = running.request("GET", "/api/v3/allOrders", signed=True, symbol="BNBUSDT")[1]
    assert first(recorded("api_v3_allOrders.json"), kind=list)[0].keys() <= orders[0].keys()
    order = running.request("GET", "/api/v3/order", signed=True, symbol="BNBUSDT", orderId=orders[0]["orderId"])[1]
    assert first(recorded("api_v3_order.json")).keys() <= order.keys()


@pytest.mark.parametrize(
    ("params", "listed"),
    [
        ({"symbol": "ETHUSDT"}, False),
        ({"symbols": '["ETHUSDT","BTCUSDT"]'}, True),
        ({"symbols": '["ETHUSDT"]'}, True),
        ({}, True),
    ],
)
@pytest.mark.parametrize("path", ["ticker/price", "ticker/bookTicker", "ticker/24hr"])
def test_one_symbol_is_an_object_and_several_are_a_list(
    running: Any, path: str, params: dict[str, str], listed: bool
) -> None:
    status, answer = running.request("GET", f"/api/v3/{path}", **params)
    assert status == 200
    assert isinstance(answer, list) is listed
    assert (answer[0] if listed else answer)["symbol"] in ("ETHUSDT", "BTCUSDT")


ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"symbol": "NOPEUSDT"}, 400, -1121),
        ({"side": "HOLD"}, 400, -1117),
        ({"type": "LIMIT", "price": "1", "timeInForce": "GTC"}, 400, -1013),
        ({"type": "STOP_LOSS_LIMIT"}, 400, -1102),
        ({"type": "STOP_LIMIT"}, 400, -1116),
        ({"quantity": "0.0000000001"}, 400, -1111),
        ({"quantity": "abc"}, 400, -1100),
        ({"quantity": "0.000001"}, 400, -1013),
        ({"quantity": "0.00001"}, 400, -1013),
        ({"quantity": "100"}, 400, -2010),
        ({"quantity": None}, 400, -1102),
        ({"price": "5"}, 400, -1106),
        ({"quoteOrderQty": "50"}, 400, -1106),
        ({"newClientOrderId": "no spaces"}, 400, -1100),
        ({"surprise": "1"}, 400, -1104),
        ({"newOrderRespType": "ALL"}, 400, -1130),
    ],
)
@pytest.mark.parametrize("path", ["/api/v3/order", "/api/v3/order/test"])
def test_refused_orders_leave_no_trace(running: Any, path: str, change: dict[str, Any], status: int, code: int) -> None:
    before = running.request("GET", "/sim/ledger")[1]
    params = {key: value for key, value in (ORDER | change).items() if value is not None}
    got, answer = running.request("POST", path, signed=True, **params)
    assert (got, answer["code"]) == (status, code)
    assert running.request("GET", "/sim/ledger")[1] == before


def test_order_test_checks_and_does_nothing(running: Any) -> None:
    before = running.request("GET", "/sim/ledger")[1]
    assert running.request("POST", "/api/v3/order/test", signed=True, **ORDER) == (200, {})
    assert running.request("GET", "/sim/ledger")[1] == before


def test_order_test_tells_what_the_order_would_cost(running: Any) -> None:
    rates = {"maker": "0.00100000", "taker": "0.00100000"}
    priced = running.request("POST", "/api/v3/order/test", signed=True, computeCommissionRates="true", **ORDER)[1]
    assert priced["standardCommissionForOrder"] == rates
    assert priced["discount"] == {
        "enabledForAccount": False,
        "enabledForSymbol": False,
        "discountAsset": "BNB",
        "discount": "0.25000000",
    }


@pytest.mark.parametrize("kind", ["ACK", "RESULT", "FULL"])
def test_how_much_a_new_order_answers(running: Any, kind: str) -> None:
    status, answer = running.request("POST", "/api/v3/order", signed=True, newOrderRespType=kind, **ORDER)
    assert status == 200
    assert ("status" in answer, "fills" in answer) == (kind != "ACK", kind == "FULL")


def test_errors_of_queries(running: Any) -> None:
    def code(method: str, path: str, **params: Any) -> tuple[int, int]:
        status, answer = running.request(method, f"/api/v3/{path}", signed=True, **params)
        return status, answer["code"]

    assert code("GET", "order", symbol="BTCUSDT", orderId=999_999) == (400, -2013)
    assert code("GET", "order", symbol="BTCUSDT", origClientOrderId="never") == (400, -2013)
    assert code("GET", "order", symbol="BTCUSDT") == (400, -1102)
    assert code("GET", "order", symbol="BTCUSDT", orderId=2**63) == (400, -1100)
    assert code("DELETE", "order", symbol="BTCUSDT", orderId=1) == (400, -2011)
    assert code("GET", "myTrades", symbol="BTCUSDT", startTime=0, endTime=86_400_001) == (400, -1127)
    assert code("GET", "myTrades", symbol="BTCUSDT", startTime=0, fromId=1) == (400, -1128)
    assert code("GET", "myTrades", symbol="BTCUSDT", endTime=0, orderId=1) == (400, -1128)
    assert code("GET", "allOrderList", startTime=0, endTime=86_400_001) == (400, -1127)
    assert code("GET", "allOrderList", startTime=0, fromId=1) == (400, -1128)
    assert code("GET", "openOrders", symbol="NOPE") == (400, -1121)


def test_unsigned_requests_are_refused(running: Any) -> None:
    status, answer = running.request("GET", "/api/v3/account", timestamp=time.time_ns() // 1_000_000)
    assert (status, answer["code"]) == (400, -1102)
    status, answer = running.request("GET", "/api/v3/account", timestamp=1, signature="0")
    assert (status, answer["code"]) == (400, -1021)


def test_malformed_requests_are_charged_too(running: Any) -> None:
    before = running.request("GET", "/sim/stats")[1]["weight"]
    assert running.request("GET", "/api/v3/ticker/24hr", symbols="A,B")[1]["code"] == -1100
    assert running.request("GET", "/api/v3/klines?symbol=BTCUSDT&symbol=ETHUSDT")[1]["code"] == -1101
    assert running.request("GET", "/sim/stats")[1]["weight"] == before + 1 + 2


def test_headers_tell_the_weight(running: Any) -> None:
    connection = http.client.HTTPConnection(running.host, running.port, timeout=10)
    used = []
    for _ in range(2):  # over one connection: it is kept alive
        connection.request("GET", "/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=2")
        answer = connection.getresponse()
        answer.read()
        used.append(int(answer.headers["X-MBX-USED-WEIGHT-1M"]))
        assert answer.headers["content-type"].startswith("application/json")
    connection.close()
    assert used[1] in (used[0] + 2, 2)  # 2 when a new minute has begun in between


@pytest.mark.parametrize(
    ("method", "path", "told"),
    [
        ("POST", "order", True),
        ("POST", "order/cancelReplace", True),
        ("POST", "orderList/oco", True),
        ("POST", "order/oco", True),
        ("POST", "order/test", False),
        ("DELETE", "order", False),
        ("GET", "order", False),
    ],
)
def test_headers_tell_the_orders_that_count_wherever_orders_are_placed(
    running: Any, method: str, path: str, told: bool
) -> None:
    """Of a refusal, too."""
    headers = running.raw(method, f"/api/v3/{path}", signed=True).headers
    assert [name in headers for name in ("X-MBX-ORDER-COUNT-10S", "X-MBX-ORDER-COUNT-1D")] == [told, told]


def test_a_pair_counts_as_two_orders(running: Any) -> None:
    last = float(running.request("GET", "/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"])
    prices = {"price": f"{last * 1.2:.2f}", "stopPrice": f"{last * 0.8:.2f}"}
    pair = {"symbol": "BTCUSDT", "side": "SELL", "quantity": "0.01", **prices}
    before = running.request("GET", "/api/v3/rateLimit/order", signed=True)[1][1]["count"]
    answer = running.raw("POST", "/api/v3/order/oco", signed=True, **pair)
    assert answer.status == 200
    assert int(answer.headers["X-MBX-ORDER-COUNT-1D"]) == before + 2
    running.request("DELETE", "/api/v3/openOrders", signed=True, symbol="BTCUSDT")


def test_what_is_not_there(running: Any) -> None:
    connection = http.client.HTTPConnection(running.host, running.port, timeout=10)
    connection.request("GET", "/api/v3/nothing")
    assert connection.getresponse().status == 404
    connection.close()


def test_the_key_says_what_it_may_do(running: Any) -> None:
    status, answer = running.request("GET", "/sapi/v1/account/apiRestrictions", signed=True)
    assert status == 200
    assert answer["enableWithdrawals"] is False
    assert answer["permitsUniversalTransfer"] is False
    assert answer["enableSpotAndMarginTrading"] is True


def test_statistics_count_what_was_asked(running: Any) -> None:
    running.request("POST", "/sim/stats/reset")
    for _ in range(3):
        running.request("GET", "/api/v3/klines", symbol="SOLUSDT", interval="1h")
    running.request("GET", "/api/v3/klines", symbol="SOLUSDT", interval="1x")
    running.request("GET", "/api/v3/ticker/price")
    running.request("GET", "/sim/clock")
    stats = running.request("GET", "/sim/stats")[1]
    assert stats["requests"] == 5
    assert stats["candle_requests"] == 3
    assert stats["klines"] == {"SOLUSDT 1h": 3}
    assert stats["endpoints"] == {"GET /api/v3/klines": 4, "GET /api/v3/ticker/price": 1}
    assert stats["statuses"] == {"200": 4, "400": 1}
    assert stats["weight"] == 12
    assert stats["since"] <= stats["wall_ms"]
    assert {"weight_1m", "market_ms"} <= stats.keys()


def test_an_order_that_cannot_be_written_down_never_happened(tmp_path: Path) -> None:
    """A ledger that fails (HTTP 500 to the client): the account is as before, and works again later."""
    exchange = build_exchange(parse(["--data", str(tmp_path)]), NOW_MS)
    endpoint = next(item for item in trading.ENDPOINTS if item.answer is trading.new_order)

    def order(client_id: str) -> Call:
        params = f"symbol=BTCUSDT&side=BUY&type=MARKET&quoteOrderQty=100&newClientOrderId={client_id}"
        return Call(Params(params), NOW_MS, NOW_MS)

    before = dict(exchange.account.balances)
    ledger, exchange.ledger = exchange.ledger, Ledger(tmp_path / "gone")
    exchange.ledger.close()
    with pytest.raises(sqlite3.Error):
        endpoint.answer(exchange, order("lost"))
    assert exchange.account.balances == before
    exchange.ledger = ledger
    assert ledger.everything() == ([], [])
    endpoint.answer(exchange, order("kept"))
    assert [item.client_order_id for item in ledger.everything()[0]] == ["kept"]
    ledger.close()
