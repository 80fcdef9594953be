"""New orders and cancels: decide, write it down, make it the present, answer, in this order."""

from __future__ import annotations

from simexchange.endpoints.answers import commission_rates, list_status, order_canceled, order_placed
from simexchange.endpoints.order_params import cancel_restrictions, new_client_id
from simexchange.endpoints.order_params import new_order as read_order
from simexchange.errors import order_errors
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.matcher import commit, terms_at, up_to_date
from simexchange.orders.ending import cancel
from simexchange.orders.order import NewOrder, Order
from simexchange.orders.placing import place
from simexchange.orders.taking import Terms

_PRICED = "computeCommissionRates"


@up_to_date
def new_order(exchange: Exchange, call: Call) -> object:
    wish, response_type = read_order(call.params)
    call.params.refuse_unread()
    exchange.order_count.check(exchange.limits, call.wall_ms)
    return place_one(exchange, call, wish, response_type)


@up_to_date
def test_order(exchange: Exchange, call: Call) -> object:
    """Every check of a new order, and nothing else; on request, what it would cost."""
    priced = call.params.flag(_PRICED)
    wish, _ = read_order(call.params)
    call.params.refuse_unread()
    place(exchange.account, wish, terms_for(exchange, wish.symbol, call.market_ms))
    return commission_rates(*exchange.fee_rates, exchange.fee_asset) if priced else {}


def terms_for(exchange: Exchange, symbol: str, now_ms: int) -> Terms:
    """What a new order meets; raises -1013 for a symbol that is halted or does not trade yet."""
    exchange.market.instrument(symbol)
    if exchange.market.changes.halted(symbol):
        raise order_errors.market_closed()
    return terms_at(exchange, symbol, now_ms)


def place_one(exchange: Exchange, call: Call, wish: NewOrder, response_type: str) -> dict[str, object]:
    outcome = place(exchange.account, wish, terms_for(exchange, wish.symbol, call.market_ms))
    exchange.order_count.add(call.wall_ms)
    commit(exchange, outcome)
    exchange.placed.note(outcome.order.key, call.wall_ms)
    return order_placed(outcome.order, outcome.fills, response_type)


@up_to_date
def cancel_order(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, (order_id, client_id) = params.symbol(), params.either_id("orderId", "origClientOrderId")
    cancel_id = params.client_id("newClientOrderId")
    restrictions = cancel_restrictions(params)
    params.refuse_unread()
    exchange.market.instrument(symbol)
    order = open_order(exchange, symbol, order_id, client_id)
    return cancel_one(exchange, call, order, cancel_id or new_client_id(), restrictions)


def open_order(exchange: Exchange, symbol: str, order_id: int | None, client_id: str | None) -> Order:
    """By either id, or by both when they name the same order; -2011 when no such order is open: it may never have
    existed, or it was filled a moment ago."""
    for order in exchange.account.of(symbol):
        if order_id in (None, order.order_id) and client_id in (None, order.client_order_id):
            return order
    raise order_errors.unknown_cancel()


def cancel_one(
    exchange: Exchange, call: Call, order: Order, cancel_id: str, restrictions: str | None = None
) -> dict[str, object]:
    """Cancel an order and its pair; an order of a pair is answered with the whole pair."""
    instrument = exchange.market.instrument(order.symbol)
    outcome = cancel(exchange.account, order, instrument, call.market_ms, restrictions)
    commit(exchange, outcome)
    if order.list_id < 0:
        return order_canceled(outcome.order, cancel_id)
    return list_canceled(exchange, order.list_id, cancel_id)


def list_canceled(exchange: Exchange, list_id: int, cancel_id: str) -> dict[str, object]:
    """A pair that is done, with a report of each of its orders."""
    pair = exchange.ledger.order_list(list_id, None)
    assert pair is not None
    orders = exchange.ledger.orders_of(pair)
    return list_status(pair, orders) | {"orderReports": [order_canceled(order, cancel_id) for order in orders]}


@up_to_date
def cancel_open_orders(exchange: Exchange, call: Call) -> object:
    """Everything that is open on one symbol; -2011 when nothing is."""
    symbol = call.params.symbol()
    call.params.refuse_unread()
    exchange.market.instrument(symbol)
    orders, cancel_id = exchange.account.of(symbol), new_client_id()
    if not orders:
        raise order_errors.unknown_cancel()
    # The second order of a pair is gone with the first.
    still_open = (order for order in orders if order.key in exchange.account.open_orders)
    return [cancel_one(exchange, call, order, cancel_id) for order in still_open]


ENDPOINTS = (
    Endpoint("POST", "/api/v3/order", lambda params: 1, new_order, signed=True, places_orders=True),
    Endpoint("POST", "/api/v3/order/test", lambda params: 20 if params.flag(_PRICED) else 1, test_order, signed=True),
    Endpoint("DELETE", "/api/v3/order", lambda params: 1, cancel_order, signed=True),
    Endpoint("DELETE", "/api/v3/openOrders", lambda params: 1, cancel_open_orders, signed=True),
)
