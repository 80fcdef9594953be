"""What became of orders: one, the open ones, all of them, and their fills."""

from __future__ import annotations

from simexchange.endpoints.answers import my_trade, order_status
from simexchange.errors import order_errors, parameter_errors
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.market.timeframes import DAY_MS
from simexchange.matcher import up_to_date
from simexchange.orders.ledger import Page
from simexchange.requests.params import Params

_MOST_ROWS = 1000


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
    symbol, page = call.params.symbol(), page_of(call.params, "orderId")
    call.params.refuse_unread()
    exchange.market.instrument(symbol)
    return [order_status(order) for order in exchange.ledger.orders(symbol, page)]


@up_to_date
def my_trades(exchange: Exchange, call: Call) -> object:
    symbol, order_id, page = call.params.symbol(), call.params.integer("orderId"), page_of(call.params, "fromId")
    call.params.refuse_unread()
    refuse_times_beside(page, order_id, page.from_id)
    exchange.market.instrument(symbol)
    return [my_trade(fill) for fill in exchange.ledger.fills(symbol, order_id, page)]


def page_of(params: Params, from_id: str) -> Page:
    """Which of many rows are asked for; given two times, Binance allows a day between them."""
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    if start_ms is not None and end_ms is not None:
        if end_ms < start_ms:
            raise parameter_errors.bad_combination()
        if end_ms - start_ms > DAY_MS:
            raise parameter_errors.too_long_a_time()
    return Page(params.limit(500, _MOST_ROWS), params.integer(from_id), start_ms, end_ms)


def refuse_times_beside(page: Page, *ids: int | None) -> None:
    """Raise -1128 when both an id and a time were sent."""
    if (page.start_ms, page.end_ms) != (None, None) and any(one is not None for one in ids):
        raise parameter_errors.bad_combination()


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
