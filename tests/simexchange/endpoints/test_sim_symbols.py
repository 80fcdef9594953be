"""A symbol that is halted, or traded by other rules than before, while clients are at it."""

from __future__ import annotations

import http.client
import json
from decimal import Decimal as D
from pathlib import Path
from typing import Any

import pytest

from tests.simexchange.desk import BNB, PAIR, Desk, Prices, flat, open_desk

SCRIPT: list[Prices | None] = [*flat(100, 1), (100, 100, 98, 100), *flat(100, 3), (100, 100, 97, 97), *flat(97, 10)]


def listing(desk: Desk) -> tuple[str, str]:
    """Status and step size, as exchangeInfo tells them."""
    info = desk.ask("GET", "exchangeInfo", symbol="BTCUSDT")["symbols"][0]
    step = next(item["stepSize"] for item in info["filters"] if item["filterType"] == "LOT_SIZE")
    return info["status"], step


def change(desk: Desk, **params: str) -> Any:
    return desk.ask("POST", "/sim/symbols", symbol="BTCUSDT", **params)


def test_a_halted_symbol_takes_no_orders_and_lets_go_of_those_it_has(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, {PAIR: SCRIPT, BNB: flat(600, 20)})
    desk.order("LIMIT", price="95")
    assert change(desk, status="BREAK")["status"] == "BREAK"
    assert listing(desk)[0] == "BREAK"
    closed = {"code": -1013, "msg": "Market is closed."}
    assert desk.order("MARKET") == desk.order("LIMIT", price="95") == closed
    assert desk.oco("SELL", {"Type": "LIMIT_MAKER", "Price": "101"}, {"Type": "STOP_LOSS", "StopPrice": "99"}) == closed
    assert desk.order("MARKET", quantity="0.1", symbol="BNBUSDT")["status"] == "FILLED"
    assert desk.ask("DELETE", "order", symbol="BTCUSDT", orderId=1)["status"] == "CANCELED"
    change(desk, status="TRADING")
    assert desk.order("MARKET")["status"] == "FILLED"


def test_nothing_is_matched_while_a_symbol_is_halted(tmp_path: Path) -> None:
    """Not even when the exchange is restarted meanwhile; once it trades again its price counts, as after a gap."""
    desk = open_desk(tmp_path, {PAIR: SCRIPT})
    desk.order("STOP_LOSS", "SELL", stopPrice="99")
    change(desk, status="BREAK")
    assert desk.after(3).status(1) == "NEW"
    desk.exchange.ledger.close()
    desk = open_desk(tmp_path, {PAIR: SCRIPT}).after(3)
    assert listing(desk)[0] == "BREAK"
    assert desk.status(1) == "NEW"
    change(desk, status="TRADING")
    assert desk.after(4).status(1) == "NEW"
    change(desk, status="BREAK")
    change(desk.after(8), status="TRADING")
    assert desk.status(1) == "NEW"
    desk.at += 1
    assert desk.status(1) == "FILLED"
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["price"] == "96.99000000"


def test_the_last_price_counts_when_nothing_trades_after_a_halt(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, {PAIR: [*flat(100, 1), (100, 100, 98, 98), None, None, None, *flat(100, 3)]})
    desk.order("STOP_LOSS", "SELL", stopPrice="99")
    change(desk, status="BREAK")
    change(desk.after(3), status="TRADING")
    assert desk.after(3.5).status(1) == "FILLED"
    assert desk.ask("GET", "myTrades", symbol="BTCUSDT")[0]["time"] == desk.after(3).at + 1


def test_a_step_size_changes_under_the_clients_hands(tmp_path: Path) -> None:
    desk = open_desk(tmp_path, {PAIR: SCRIPT})
    desk.order("LIMIT", price="99", quantity="1.005", newClientOrderId="before")
    assert listing(desk) == ("TRADING", "0.00100000")
    change(desk, stepSize="0.1")
    assert listing(desk) == ("TRADING", "0.10000000")
    refused = {"code": -1013, "msg": "Filter failure: LOT_SIZE"}
    assert desk.order("MARKET", quantity="1.005") == desk.order("MARKET", quantity="0.09") == refused
    assert desk.order("MARKET", quantity="1.1")["status"] == "FILLED"
    order = desk.after(3).ask("GET", "order", symbol="BTCUSDT", origClientOrderId="before")
    assert (order["status"], order["executedQty"]) == ("FILLED", "1.00500000")
    change(desk, minNotional="500", tickSize="0.5")
    assert desk.order("MARKET", quantity="1")["msg"] == "Filter failure: NOTIONAL"
    assert desk.order("LIMIT", quantity="10", price="95.1")["msg"] == "Filter failure: PRICE_FILTER"
    change(desk, reset="true")
    assert desk.order("MARKET", quantity="1.001")["status"] == "FILLED"


@pytest.mark.parametrize(
    ("sent", "field", "allowed"),
    [
        ({"symbol": "BTCUSDT", "status": "ASLEEP"}, "status", ["TRADING", "BREAK"]),
        (
            {"symbol": "BTCUSDT", "stepSize": "0"},
            "stepSize",
            "more than 0 and at most 1000000, with at most eight decimals",
        ),
        ({"symbol": "BTCUSDT", "tickSize": "-1"}, "tickSize", "more than 0"),
        ({"symbol": "BTCUSDT", "minNotional": "0.000000001"}, "minNotional", "more than 0"),
        ({"symbol": "BTCUSDT", "reset": "perhaps"}, "reset", ["false", "true"]),
        ({"symbol": "BTCUSDT", "surprise": "1"}, "surprise", ["symbol", "status", "stepSize", "tickSize"]),
        ({"symbol": "NOPE", "status": "BREAK"}, "symbol", ["BTCUSDT", "ETHUSDT"]),
        ({"status": "BREAK"}, "symbol", ["BTCUSDT", "ETHUSDT"]),
    ],
)
def test_changes_that_make_no_sense(running: Any, sent: dict[str, str], field: str, allowed: Any) -> None:
    """Refused as mistakes at /sim/faults are, and nothing changes."""
    before = running.request("GET", "/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"]
    status, answer = running.request("POST", "/sim/symbols", **sent)
    assert (status, answer["field"], answer["allowed"][: len(allowed)]) == (400, field, allowed)
    assert answer["error"].startswith(f"{field}: ")
    assert running.request("GET", "/api/v3/exchangeInfo", symbol="BTCUSDT")[1]["symbols"] == before


def test_a_form_will_do(running: Any) -> None:
    connection = http.client.HTTPConnection(running.host, running.port, timeout=10)
    connection.request("POST", "/sim/symbols", "symbol=LTCUSDT&status=BREAK")
    assert json.loads(connection.getresponse().read())["status"] == "BREAK"
    connection.close()


# -- fees in another asset ---------------------------------------------------------------------------------------------
def bnb_desk(directory: Path, bnb: str) -> Desk:
    candles: dict[Any, list[Prices | None]] = {PAIR: SCRIPT, BNB: flat(600, 20)}
    return open_desk(directory, candles, {"USDT": D(100_000), "BNB": D(bnb)}, fee_asset="BNB")


def test_fees_are_taken_in_bnb_at_a_discount(tmp_path: Path) -> None:
    desk = bnb_desk(tmp_path, "1")
    fill = desk.order("MARKET", quantity="2")["fills"][0]
    assert (fill["commission"], fill["commissionAsset"]) == ("0.00025002", "BNB")  # 200.02 x 0.075 % / 600
    assert desk.held("BTC")[0] == 2
    assert desk.held("BNB")[0] == 1 - D("0.00025002")


def test_without_enough_bnb_the_received_asset_pays_in_full(tmp_path: Path) -> None:
    desk = bnb_desk(tmp_path, "0.0002")
    fill = desk.order("MARKET", quantity="2")["fills"][0]
    assert (fill["commission"], fill["commissionAsset"]) == ("0.00200000", "BTC")
    assert desk.held("BNB")[0] == D("0.0002")


def test_selling_the_last_bnb_leaves_its_fee_to_the_received_asset(tmp_path: Path) -> None:
    desk = bnb_desk(tmp_path, "1")
    answer = desk.order("LIMIT", "SELL", "1", symbol="BNBUSDT", price="599")
    assert {fill["commissionAsset"] for fill in answer["fills"]} == {"USDT"}
    assert desk.held("BNB") == (D(0), D(0))
