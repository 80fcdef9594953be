"""What every endpoint weighs."""

from __future__ import annotations

import pytest

from simexchange.endpoints.table import METERED
from simexchange.requests.params import Params

MANY = "symbols=" + "%5B" + ",".join(f"%22S{number}%22" for number in range(21)) + "%5D"
WEIGHTS = [
    ("GET /api/v3/ping", "", 1),
    ("GET /api/v3/time", "", 1),
    ("GET /api/v3/exchangeInfo", "", 20),
    ("GET /api/v3/klines", "limit=1000", 2),
    ("GET /api/v3/uiKlines", "", 2),
    ("GET /api/v3/trades", "", 25),
    ("GET /api/v3/avgPrice", "", 2),
    ("GET /api/v3/depth", "", 5),
    ("GET /api/v3/depth", "limit=101", 25),
    ("GET /api/v3/depth", "limit=1000", 50),
    ("GET /api/v3/depth", "limit=1001", 250),
    ("GET /api/v3/ticker/price", "symbol=A", 2),
    ("GET /api/v3/ticker/price", "", 4),
    ("GET /api/v3/ticker/bookTicker", "symbol=A", 2),
    ("GET /api/v3/ticker/bookTicker", MANY, 4),
    ("GET /api/v3/ticker/24hr", "symbol=A", 2),
    ("GET /api/v3/ticker/24hr", MANY, 40),
    ("GET /api/v3/ticker/24hr", "", 80),
    ("GET /api/v3/account", "", 20),
    ("GET /api/v3/rateLimit/order", "", 40),
    ("GET /sapi/v1/account/apiRestrictions", "", 1),
    ("GET /api/v3/order", "", 4),
    ("GET /api/v3/openOrders", "symbol=A", 6),
    ("GET /api/v3/openOrders", "", 80),
    ("GET /api/v3/allOrders", "", 20),
    ("GET /api/v3/myTrades", "", 20),
    ("GET /api/v3/myTrades", "orderId=1", 5),
    ("POST /api/v3/order", "", 1),
    ("POST /api/v3/order/test", "", 1),
    ("POST /api/v3/order/test", "computeCommissionRates=true", 20),
    ("POST /api/v3/order/cancelReplace", "", 1),
    ("DELETE /api/v3/order", "", 1),
    ("DELETE /api/v3/openOrders", "", 1),
    ("POST /api/v3/orderList/oco", "", 1),
    ("POST /api/v3/order/oco", "", 1),
    ("DELETE /api/v3/orderList", "", 1),
    ("GET /api/v3/orderList", "", 4),
    ("GET /api/v3/allOrderList", "", 20),
    ("GET /api/v3/openOrderList", "", 6),
]


@pytest.mark.parametrize(("name", "query", "weight"), WEIGHTS)
def test_weights_are_those_of_binance(name: str, query: str, weight: int) -> None:
    endpoint = next(item for item in METERED if f"{item.method} {item.path}" == name)
    assert endpoint.weight(Params(query)) == weight


def test_every_weight_is_known() -> None:
    assert {name for name, _, _ in WEIGHTS} == {f"{item.method} {item.path}" for item in METERED}
