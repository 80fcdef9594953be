"""Pairs of orders (OCO): placed, cancelled and asked for as one."""

from __future__ import annotations

from collections.abc import Callable

from simexchange.endpoints.answers import list_status, order_placed
from simexchange.endpoints.oco_params import new_pair, old_pair
from simexchange.endpoints.order_params import new_client_id
from simexchange.endpoints.order_queries import page_of, refuse_times_beside
from simexchange.endpoints.trading import cancel_one, terms_for
from simexchange.errors import order_errors
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.matcher import commit, up_to_date
from simexchange.orders.oco import NewPair, place_pair
from simexchange.orders.order import OrderList
from simexchange.requests.params import Params

_ORDERS = 2  # of a pair


@up_to_date
def new_list(exchange: Exchange, call: Call) -> object:
    return _place(exchange, call, new_pair)


@up_to_date
def new_list_of_old(exchange: Exchange, call: Call) -> object:
    return _place(exchange, call, old_pair)


def _place(exchange: Exchange, call: Call, read: Callable[[Params], tuple[NewPair, str]]) -> object:
    """Both orders or none; a pair counts as two new orders."""
    pair, response_type = read(call.params)
    call.params.refuse_unread()
    exchange.order_count.check(exchange.limits, call.wall_ms, _ORDERS)
    if any(known.client_id == pair.client_id for known in _open(exchange)):
        raise order_errors.duplicate_order()
    outcome = place_pair(exchange.account, pair, terms_for(exchange, pair.above.symbol, call.market_ms))
    assert outcome.order_list is not None
    exchange.order_count.add(call.wall_ms, _ORDERS)
    commit(exchange, outcome)
    for order in outcome.orders:
        exchange.placed.note(order.key, call.wall_ms)
    reports = [order_placed(order, (), response_type) for order in outcome.orders]
    return list_status(outcome.order_list, outcome.orders) | {"orderReports": reports}


@up_to_date
def cancel_list(exchange: Exchange, call: Call) -> object:
    """-2011 when no order of the pair is open any more."""
    params = call.params
    symbol, (list_id, client_id) = params.symbol(), params.either_id("orderListId", "listClientOrderId")
    cancel_id = params.client_id("newClientOrderId")
    params.refuse_unread()
    exchange.market.instrument(symbol)
    pair = exchange.ledger.order_list(list_id, client_id)
    legs = () if pair is None else exchange.account.of(symbol)
    for order in legs:
        if pair is not None and order.list_id == pair.list_id:
            return cancel_one(exchange, call, order, cancel_id or new_client_id())
    raise order_errors.unknown_cancel()


@up_to_date
def get_list(exchange: Exchange, call: Call) -> object:
    list_id, client_id = call.params.either_id("orderListId", "origClientOrderId")
    call.params.refuse_unread()
    pair = exchange.ledger.order_list(list_id, client_id)
    if pair is None:
        raise order_errors.no_such_list()
    return _status(exchange, pair)


@up_to_date
def all_lists(exchange: Exchange, call: Call) -> object:
    page = page_of(call.params, "fromId")
    call.params.refuse_unread()
    refuse_times_beside(page, page.from_id)
    return [_status(exchange, pair) for pair in exchange.ledger.order_lists(page)]


@up_to_date
def open_lists(exchange: Exchange, call: Call) -> object:
    call.params.refuse_unread()
    return [_status(exchange, pair) for pair in _open(exchange)]


def _open(exchange: Exchange) -> list[OrderList]:
    ids = sorted({order.list_id for order in exchange.account.open_orders.values() if order.list_id >= 0})
    found = (exchange.ledger.order_list(list_id, None) for list_id in ids)
    return [pair for pair in found if pair is not None]


def _status(exchange: Exchange, pair: OrderList) -> dict[str, object]:
    return list_status(pair, exchange.ledger.orders_of(pair))


ENDPOINTS = (
    Endpoint("POST", "/api/v3/orderList/oco", lambda params: 1, new_list, signed=True, places_orders=True),
    Endpoint("POST", "/api/v3/order/oco", lambda params: 1, new_list_of_old, signed=True, places_orders=True),
    Endpoint("DELETE", "/api/v3/orderList", lambda params: 1, cancel_list, signed=True),
    Endpoint("GET", "/api/v3/orderList", lambda params: 4, get_list, signed=True),
    Endpoint("GET", "/api/v3/allOrderList", lambda params: 20, all_lists, signed=True),
    Endpoint("GET", "/api/v3/openOrderList", lambda params: 6, open_lists, signed=True),
)
