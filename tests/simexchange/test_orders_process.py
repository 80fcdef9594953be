"""Open orders in the real program: plain ccxt places, queries and cancels each type, and a kill -9 loses none."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import ccxt
import pytest

from tests.simexchange.conftest import Starter
from tests.simexchange.test_process import binance

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ccxt.binance]:
    """ccxt at a market that hardly moves for as long as the tests take: a hundredth of wall time."""
    starter = Starter(tmp_path_factory.mktemp("orders"))
    exchange = starter("--seed", "3", "--speed", "0.01", "--balance", "USDT=100000", "--balance", "BTC=2")
    client = binance(exchange.url)
    client.load_markets()
    yield client
    exchange.process.kill()
    exchange.process.communicate(timeout=10)


def near(client: ccxt.binance, factor: float) -> float:
    """A price so far from the last one, on the tick."""
    return float(client.price_to_precision("BTC/USDT", client.fetch_ticker("BTC/USDT")["last"] * factor))


ORDERS = [
    ("limit", "buy", 0.99, {}, "limit"),
    ("limit", "sell", 1.01, {"postOnly": True}, "limit_maker"),
    ("limit", "sell", 0.98, {"stopLossPrice": 0.99}, "stop_loss_limit"),
    ("limit", "buy", 1.02, {"stopLossPrice": 1.01}, "stop_loss_limit"),
    ("limit", "sell", 1.01, {"takeProfitPrice": 1.02}, "take_profit_limit"),
    ("market", "sell", None, {"stopLossPrice": 0.99}, "stop_loss"),
    ("market", "sell", None, {"takeProfitPrice": 1.01}, "take_profit"),
]


@pytest.mark.parametrize(("kind", "side", "price", "more", "raw"), ORDERS)
def test_ccxt_rests_queries_and_cancels(
    client: ccxt.binance, kind: str, side: str, price: float | None, more: dict[str, Any], raw: str
) -> None:
    before = client.fetch_balance()
    params = {name: near(client, value) if "Price" in name else value for name, value in more.items()}
    params["newClientOrderId"] = "mine-1"
    limit = None if price is None else near(client, price)
    placed = client.create_order("BTC/USDT", kind, side, 0.5, limit, params)
    assert placed["clientOrderId"] == "mine-1"
    found = client.fetch_order(None, "BTC/USDT", {"origClientOrderId": "mine-1"})
    assert (found["status"], found["filled"], found["info"]["type"]) == ("open", 0, raw.upper())
    assert found["price"] == limit
    assert [order["id"] for order in client.fetch_open_orders("BTC/USDT")] == [placed["id"]]
    assert client.fetch_balance()["used"]["BTC" if side == "sell" else "USDT"] > 0
    assert client.cancel_order(placed["id"], "BTC/USDT")["status"] == "canceled"
    assert client.fetch_order(placed["id"], "BTC/USDT")["status"] == "canceled"
    assert client.fetch_balance()["free"] == before["free"]
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(placed["id"], "BTC/USDT")


def test_ccxt_understands_the_refusals_of_orders_that_rest(client: ccxt.binance) -> None:
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order("BTC/USDT", "limit", "buy", 0.5, near(client, 1.01), {"postOnly": True})
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order("BTC/USDT", "market", "sell", 0.5, None, {"stopLossPrice": near(client, 1.01)})
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order("BTC/USDT", "limit", "sell", 3, near(client, 1.01))
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order("BTC/USDT", "limit", "buy", 0.5, near(client, 0.1))
    assert client.fetch_open_orders("BTC/USDT") == []


def test_ccxt_takes_at_once_or_not_at_all(client: ccxt.binance) -> None:
    filled = client.create_order("BTC/USDT", "limit", "buy", 0.1, near(client, 1.01), {"timeInForce": "IOC"})
    assert (filled["status"], filled["filled"]) == ("closed", 0.1)
    missed = client.create_order("BTC/USDT", "limit", "buy", 0.1, near(client, 0.99), {"timeInForce": "FOK"})
    assert (missed["status"], missed["filled"]) == ("expired", 0)


def test_ccxt_replaces_one_order_by_another(client: ccxt.binance) -> None:
    first = client.create_order("BTC/USDT", "limit", "sell", 2, near(client, 1.02))
    second = client.edit_order(first["id"], "BTC/USDT", "limit", "sell", 2, near(client, 1.03))
    assert [order["id"] for order in client.fetch_open_orders("BTC/USDT")] == [second["id"]]
    assert client.fetch_order(first["id"], "BTC/USDT")["status"] == "canceled"
    client.cancel_all_orders("BTC/USDT")
    assert client.fetch_balance()["used"]["BTC"] == 0


def test_ccxt_places_a_pair(client: ccxt.binance) -> None:
    pair = client.private_post_orderlist_oco(
        {
            "symbol": "BTCUSDT", "side": "SELL", "quantity": "1", "aboveType": "LIMIT_MAKER",
            "abovePrice": near(client, 1.01), "belowType": "STOP_LOSS", "belowStopPrice": near(client, 0.99),
        }
    )  # fmt: skip
    assert len(client.fetch_open_orders("BTC/USDT")) == 2
    ended = client.private_delete_orderlist({"symbol": "BTCUSDT", "orderListId": pair["orderListId"]})
    assert ended["listOrderStatus"] == "ALL_DONE"
    assert client.fetch_open_orders("BTC/USDT") == []


def test_a_kill_loses_no_open_order_and_no_fill(start: Any) -> None:
    """Orders on both sides of the price rest; the market runs on while the exchange is dead. Afterwards some have
    traded meanwhile, as they would have anyway, and every unit is accounted for."""
    origin = ["--origin-wall-ms", str(time.time_ns() // 1_000_000), "--origin-market-ms", "1760000040000"]
    arguments = ["--seed", "5", "--speed", "600", "--balance", "USDT=100000", "--balance", "ETH=20", *origin]
    exchange = start(*arguments)
    last = float(exchange.request("GET", "/api/v3/ticker/price", symbol="ETHUSDT")[1]["price"])
    for number in range(1, 11):
        for side, sign in (("BUY", -1), ("SELL", 1)):
            status, _ = exchange.request(
                "POST", "/api/v3/order", signed=True, symbol="ETHUSDT", side=side, type="LIMIT", timeInForce="GTC",
                quantity="1", price=f"{last * (1 + sign * number / 500):.2f}", newClientOrderId=f"{side}-{number}",
            )  # fmt: skip
            assert status == 200
    exchange.process.send_signal(signal.SIGKILL)
    exchange.process.wait()
    again = start(*arguments)
    deadline = time.monotonic() + 20
    shown = again.request("GET", "/sim/ledger")[1]
    while not shown["fills"] and time.monotonic() < deadline:
        shown = again.request("GET", "/sim/ledger")[1]
    assert len(shown["orders"]) == 20
    assert shown["fills"], "ten minutes of market time a second, and none of twenty orders close to the price traded"
    assert_conserved(shown, {"USDT": D(100_000), "ETH": D(20)})
    for order in shown["orders"]:
        traded = sum(D(fill["qty"]) for fill in shown["fills"] if fill["orderId"] == order["orderId"])
        assert D(order["executedQty"]) == traded
    again.request("DELETE", "/api/v3/openOrders", signed=True, symbol="ETHUSDT")
    assert all(D(held["locked"]) == 0 for held in again.request("GET", "/sim/ledger")[1]["balances"].values())


def assert_conserved(shown: Any, deposits: dict[str, D]) -> None:
    """Free and locked are the deposits and the sum of all fills and fees."""
    expected = dict(deposits)
    for fill in shown["fills"]:
        sign = 1 if fill["isBuyer"] else -1
        expected["ETH"] += sign * D(fill["qty"])
        expected["USDT"] -= sign * D(fill["quoteQty"])
        expected[fill["commissionAsset"]] -= D(fill["commission"])
    held = {asset: D(one["free"]) + D(one["locked"]) for asset, one in shown["balances"].items()}
    assert held == expected


def test_an_order_waits_for_the_database_as_long_as_it_is_told(start: Any) -> None:
    """Ten minutes, so that no slow machine outlasts them; the trade is there at once."""
    exchange = start("--query-lag-ms", "600000")
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "100", "newClientOrderId": "mine"}
    assert exchange.request("POST", "/api/v3/order", signed=True, **order)[0] == 200
    query = {"symbol": "BTCUSDT", "origClientOrderId": "mine"}
    assert exchange.request("GET", "/api/v3/order", signed=True, **query)[1]["code"] == -2013
    assert len(exchange.request("GET", "/api/v3/myTrades", signed=True, symbol="BTCUSDT")[1]) == 1


def test_half_a_cancel_replace_tells_which_half(start: Any) -> None:
    """HTTP 409 and a data object when only one half was done, 400 when none was."""
    exchange = start("--speed", "0.01", "--balance", "USDT=1000")
    order = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quoteOrderQty": "100", "cancelOrderId": 7}
    for mode, status, code in (("ALLOW_FAILURE", 409, -2021), ("STOP_ON_FAILURE", 400, -2022)):
        got = exchange.request("POST", "/api/v3/order/cancelReplace", signed=True, cancelReplaceMode=mode, **order)
        assert (got[0], got[1]["code"]) == (status, code)
        assert got[1]["data"]["cancelResult"] == "FAILURE"
