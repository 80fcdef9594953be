"""Which parameters each order type must have and must not have, with Binance's answers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from simexchange.endpoints.order_params import new_order
from simexchange.errors.api_error import ApiError
from simexchange.requests.params import Params

BASE = {"symbol": "BTCUSDT", "side": "BUY", "quantity": "1"}
LIMIT = BASE | {"type": "LIMIT", "price": "100", "timeInForce": "GTC"}
MAKER = BASE | {"type": "LIMIT_MAKER", "price": "100"}
MARKET = BASE | {"type": "MARKET"}
STOP = BASE | {"type": "STOP_LOSS", "stopPrice": "110"}
STOP_LIMIT = BASE | {"type": "STOP_LOSS_LIMIT", "stopPrice": "110", "price": "111", "timeInForce": "GTC"}
PROFIT = BASE | {"type": "TAKE_PROFIT", "stopPrice": "90"}
PROFIT_LIMIT = BASE | {"type": "TAKE_PROFIT_LIMIT", "stopPrice": "90", "price": "91", "timeInForce": "IOC"}
EVERY = [LIMIT, MAKER, MARKET, STOP, STOP_LIMIT, PROFIT, PROFIT_LIMIT]


def read(params: dict[str, Any]) -> Any:
    return new_order(Params(urlencode({name: value for name, value in params.items() if value is not None})))


@pytest.mark.parametrize("params", EVERY, ids=lambda params: params["type"])
def test_each_type_with_what_it_needs(params: dict[str, str]) -> None:
    wish, response_type = read(params)
    assert wish.type == params["type"]
    assert str(wish.price) == params.get("price", "0")
    assert str(wish.stop_price) == params.get("stopPrice", "0")
    assert wish.time_in_force == params.get("timeInForce", "GTC")
    assert response_type == ("FULL" if params["type"] in ("LIMIT", "MARKET") else "ACK")


def mandatory(name: str) -> str:
    return f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed."


def forbidden(name: str) -> str:
    return f"Parameter '{name}' sent when not required."


NO_TRIGGER = "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"
NO_AMOUNT = "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"
ICEBERG = "Iceberg orders are not supported for this symbol."
BAD_MODE = "Data sent for parameter 'selfTradePreventionMode' is not valid."
TRAILING = "Trailing stop orders are not supported for this symbol."
REFUSALS = [
    (LIMIT, {"price": None}, -1102, mandatory("price")),
    (LIMIT, {"quantity": None}, -1102, mandatory("quantity")),
    (LIMIT, {"timeInForce": None}, -1102, mandatory("timeInForce")),
    (LIMIT, {"timeInForce": "GTX"}, -1115, "Invalid timeInForce."),
    (LIMIT, {"stopPrice": "5"}, -1106, forbidden("stopPrice")),
    (LIMIT, {"quoteOrderQty": "5"}, -1106, forbidden("quoteOrderQty")),
    (LIMIT, {"icebergQty": "0.1"}, -2010, ICEBERG),
    (LIMIT, {"price": "0"}, -1013, "Invalid price."),
    (LIMIT, {"type": "LIMIT_IF_TOUCHED"}, -1116, "Invalid orderType."),
    (LIMIT, {"side": "LONG"}, -1117, "Invalid side."),
    (LIMIT, {"price": "1.123456789"}, -1111, "Parameter 'price' has too much precision."),
    (
        LIMIT,
        {"selfTradePreventionMode": "HOPE"},
        -1130,
        BAD_MODE,
    ),
    (MAKER, {"price": None}, -1102, mandatory("price")),
    (MAKER, {"timeInForce": "GTC"}, -1106, forbidden("timeInForce")),
    (MAKER, {"stopPrice": "5"}, -1106, forbidden("stopPrice")),
    (MARKET, {"quantity": None}, -1102, NO_AMOUNT),
    (MARKET, {"quoteOrderQty": "5"}, -1106, forbidden("quoteOrderQty")),
    (MARKET, {"price": "5"}, -1106, forbidden("price")),
    (MARKET, {"timeInForce": "IOC"}, -1106, forbidden("timeInForce")),
    (MARKET, {"icebergQty": "5"}, -1106, forbidden("icebergQty")),
    (STOP, {"stopPrice": None}, -1102, NO_TRIGGER),
    (STOP, {"price": "5"}, -1106, forbidden("price")),
    (STOP, {"timeInForce": "GTC"}, -1106, forbidden("timeInForce")),
    (STOP, {"quantity": None, "quoteOrderQty": "5"}, -1102, mandatory("quantity")),
    (STOP, {"stopPrice": None, "trailingDelta": "100"}, -2010, TRAILING),
    (STOP, {"stopPrice": "0"}, -1013, "Invalid price."),
    (STOP_LIMIT, {"stopPrice": None}, -1102, NO_TRIGGER),
    (STOP_LIMIT, {"price": None}, -1102, mandatory("price")),
    (STOP_LIMIT, {"timeInForce": None}, -1102, mandatory("timeInForce")),
    (STOP_LIMIT, {"timeInForce": "DAY"}, -1115, "Invalid timeInForce."),
    (PROFIT, {"stopPrice": None}, -1102, NO_TRIGGER),
    (PROFIT, {"price": "5"}, -1106, forbidden("price")),
    (PROFIT_LIMIT, {"price": None}, -1102, mandatory("price")),
    (PROFIT_LIMIT, {"quoteOrderQty": "7"}, -1106, forbidden("quoteOrderQty")),
]


@pytest.mark.parametrize(("params", "change", "code", "msg"), REFUSALS)
def test_refusals(params: dict[str, str], change: dict[str, Any], code: int, msg: str) -> None:
    with pytest.raises(ApiError) as refusal:
        read(params | change)
    assert (refusal.value.code, refusal.value.msg) == (code, msg)
