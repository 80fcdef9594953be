"""What became of orders: one, the open ones, all of them, and their fills."""

from __future__ import annotations

from simexchange.endpoints.answers import my_trade, order_status
from simexchange.errors import order_errors, parameter_errors
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.market.timeframes import DAY_MS
from simexchange.matcher import up_to_date
from simexchange.requests.params import Params

MOST_ROWS = 1000
_FAR_FUTURE_MS = 2**62


@up_to_date
def get_order(exchange: Exchange, call: Call) -> object:
    symbol, (order_id, client_id) = call.params.symbol(), call.params.either_id("orderId", "origClientOrderId")
    call.params.refuse_unread()
    exchange.market.instrument(symbol)
    found = exchange.ledger.order(symbol, order_id, client_id)
    if found is None or (client_id is not None and found.client_order_id != client_id):
        raise order_errors.no_such_order()
    if exchange.placed.hides(found.key, call.met, call.wall_ms):
        raise order_errors.no_such_order()
    return order_status(found)


@up_to_date
def open_orders(exchange: Exchange, call: Call) -> object:
    symbol = call.params.symbol() if call.params.one_symbol() else None
    call.params.refuse_unread()
    if symbol is not None:
        exchange.market.instrument(symbol)
    resting = sorted(exchange.account.open_orders.values(), key=lambda order: order.key)
    return [order_status(order) for order in resting if symbol in (None, order.symbol)]


@up_to_date
def all_orders(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, from_id = params.symbol(), params.integer("orderId")
    start_ms, end_ms = time_range(params)
    limit = params.limit(500, MOST_ROWS)
    params.refuse_unread()
    exchange.market.instrument(symbol)
    return [order_status(order) for order in exchange.ledger.orders(symbol, from_id, start_ms, end_ms, limit)]


@up_to_date
def my_trades(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, order_id, from_id = params.symbol(), params.integer("orderId"), params.integer("fromId")
    start_ms, end_ms = time_range(params)
    limit = params.limit(500, MOST_ROWS)
    params.refuse_unread()
    if timed(params) and (order_id, from_id) != (None, None):
        raise parameter_errors.bad_combination()
    exchange.market.instrument(symbol)
    return [my_trade(fill) for fill in exchange.ledger.fills(symbol, order_id, from_id, start_ms, end_ms, limit)]


def timed(params: Params) -> bool:
    """Whether a stretch of time was asked for."""
    return params.text("startTime") is not None or params.text("endTime") is not None


def time_range(params: Params) -> tuple[int, int]:
    """Market time, both ends included; given both, Binance allows a day between them."""
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    if start_ms is not None and end_ms is not None:
        if end_ms < start_ms:
            raise parameter_errors.bad_combination()
        if end_ms - start_ms > DAY_MS:
            raise parameter_errors.too_long_a_time()
    return start_ms or 0, _FAR_FUTURE_MS if end_ms is None else end_ms


def _open_orders_weight(params: Params) -> int:
    return 6 if params.one_symbol() else 80


def _trades_weight(params: Params) -> int:
    return 20 if params.integer("orderId") is None else 5


ENDPOINTS = (
    Endpoint("GET", "/api/v3/order", lambda params: 4, get_order, signed=True),
    Endpoint("GET", "/api/v3/openOrders", _open_orders_weight, open_orders, signed=True),
    Endpoint("GET", "/api/v3/allOrders", lambda params: 20, all_orders, signed=True),
    Endpoint("GET", "/api/v3/myTrades", _trades_weight, my_trades, signed=True),
)
