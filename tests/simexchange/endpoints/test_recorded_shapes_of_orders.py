"""The account's answers have the fields, types and number formats of Binance's recorded ones.

The recording is a patchwork of several years, so two differences are meant: fields that Binance has added since, and
amounts that the older examples write with one decimal. Each is listed here with its reason; nothing else may differ.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.simexchange.desk import PAIR, Desk, flat, open_desk

AMOUNT = re.compile(r"^\d+\.\d{8}$")
NUMBER = re.compile(r"^\d+(\.\d+)?$")

#: Fields in our answers that the recordings lack, and why they are there.
NEWER = {
    "order": {
        "orderListId": "since order lists (2019)",
        "origQuoteOrderQty": "since orders in quote (2020)",
        "workingTime": "since 2022",
        "selfTradePreventionMode": "since 2022",
    },
    "cancel": {
        "orderListId": "since order lists (2019)",
        "origQuoteOrderQty": "since orders in quote (2020)",
        "selfTradePreventionMode": "since 2022",
    },
    "account": {
        "permissions": "since 2020; the recorded account is of 2018",
        "commissionRates": "since 2023",
        "brokered": "since 2022",
        "requireSelfTradePrevention": "since 2022",
        "preventSor": "since 2023",
        "uid": "since 2023",
    },
}
#: The recorded examples are written by hand, with values like "0.1"; the exchange itself pads to eight decimals.
UNPADDED = frozenset({"price", "origQty", "executedQty", "cummulativeQuoteQty", "stopPrice", "icebergQty"})


def kind(value: object) -> str:
    if isinstance(value, str) and NUMBER.match(value):
        return "amount" if AMOUNT.match(value) else "unpadded amount"
    return type(value).__name__


def differences(mine: Any, theirs: Any, newer: dict[str, str], path: str = "") -> list[str]:
    """Where two answers differ in shape, all the way down; lists are compared by what their first items look like."""
    if isinstance(mine, dict) and isinstance(theirs, dict):
        added, missing = mine.keys() - theirs.keys() - newer.keys(), theirs.keys() - mine.keys()
        found = [f"{path}.{name} added" for name in added] + [f"{path}.{name} missing" for name in missing]
        for name in mine.keys() & theirs.keys():
            found += differences(mine[name], theirs[name], newer, f"{path}.{name}")
        return found
    if isinstance(mine, list) and isinstance(theirs, list):
        return differences(mine[0], theirs[0], newer, f"{path}[0]") if mine and theirs else []
    ours, recorded = kind(mine), kind(theirs)
    if recorded == "unpadded amount" and path.rpartition(".")[2] in UNPADDED:
        recorded = "amount"
    return [] if ours == recorded else [f"{path} is {ours}, recorded {recorded}"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = open_desk(tmp_path, {PAIR: flat(100, 60)})
    desk.order("LIMIT", price="99", newClientOrderId="resting")
    desk.order("STOP_LOSS_LIMIT", "SELL", stopPrice="98", price="97", newClientOrderId="waiting")
    desk.order("MARKET", newClientOrderId="filled")
    return desk


def data(recorded: Any, method: str = "GET") -> list[Any]:
    return [entry["data"] for entry in recorded[method] if entry["data"] is not None]


def test_orders(desk: Desk, recorded: Any) -> None:
    theirs = data(recorded("api_v3_order.json"))[0]
    for client_id in ("resting", "waiting", "filled"):
        mine = desk.ask("GET", "order", symbol="BTCUSDT", origClientOrderId=client_id)
        assert differences(mine, theirs, NEWER["order"]) == []


@pytest.mark.parametrize("path", ["allOrders", "openOrders"])
def test_lists_of_orders(desk: Desk, recorded: Any, path: str) -> None:
    mine = desk.ask("GET", path, symbol="BTCUSDT")
    for theirs in data(recorded(f"api_v3_{path}.json")):
        assert differences(mine, theirs, NEWER["order"]) == []


def test_cancelled_orders(desk: Desk, recorded: Any) -> None:
    mine = desk.ask("DELETE", "order", symbol="BTCUSDT", origClientOrderId="resting")
    for theirs in data(recorded("api_v3_order.json"), "DELETE"):
        assert differences(mine, theirs, NEWER["cancel"]) == []


def test_the_account(desk: Desk, recorded: Any) -> None:
    theirs = data(recorded("api_v3_account.json"))[0]
    assert differences(desk.ask("GET", "account"), theirs, NEWER["account"]) == []


def test_what_an_order_takes_is_described_in_order_types(desk: Desk, recorded: Any) -> None:
    """The recorded symbols trade every type but trailing stops; so do ours, with order lists and cancel-replace."""
    mine = desk.ask("GET", "exchangeInfo", symbol="BTCUSDT")["symbols"][0]
    theirs = next(s for s in data(recorded("api_v3_exchangeInfo.json"))[0]["symbols"] if s["symbol"] == "BTCUSDT")
    assert set(theirs["orderTypes"]) <= set(mine["orderTypes"])
    assert mine["ocoAllowed"] == theirs["ocoAllowed"] is True
    assert mine["cancelReplaceAllowed"] == theirs["cancelReplaceAllowed"] is True
    assert set(mine["allowedSelfTradePreventionModes"]) <= set(theirs["allowedSelfTradePreventionModes"])
