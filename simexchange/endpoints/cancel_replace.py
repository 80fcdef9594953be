"""Cancel one order and place another in one request."""

from __future__ import annotations

from simexchange.endpoints.order_params import cancel_restrictions, new_client_id, new_order
from simexchange.endpoints.trading import cancel_one, open_order, place_one, terms_for
from simexchange.errors import order_errors, parameter_errors
from simexchange.errors.api_error import ApiError
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.matcher import up_to_date
from simexchange.orders import filters
from simexchange.orders.order import NewOrder

_MODES = ("STOP_ON_FAILURE", "ALLOW_FAILURE")

#: What came of one half: the answer to it, or its refusal. None when it was not attempted.
Half = dict[str, object] | ApiError | None


@up_to_date
def cancel_replace(exchange: Exchange, call: Call) -> object:
    """Cancel, then place. Filters and the order count are checked before anything is done; with STOP_ON_FAILURE a
    cancel that fails is the end of it, with ALLOW_FAILURE the new order is placed all the same."""
    mode = call.params.required("cancelReplaceMode")
    if mode not in _MODES:
        raise parameter_errors.bad_data("cancelReplaceMode")
    wish, response_type = new_order(call.params)
    order_id, client_id = call.params.either_id("cancelOrderId", "cancelOrigClientOrderId")
    cancel_id = call.params.client_id("cancelNewClientOrderId") or new_client_id()
    restrictions = cancel_restrictions(call.params)
    call.params.refuse_unread()
    exchange.order_count.check(exchange.limits, call.wall_ms)
    terms = terms_for(exchange, wish.symbol, call.market_ms)
    filters.check(wish, terms.instrument, terms.average_price)
    try:
        order = open_order(exchange, wish.symbol, order_id, client_id)
        cancelled: Half = cancel_one(exchange, call, order, cancel_id, restrictions)
    except ApiError as refusal:
        cancelled = refusal
    if isinstance(cancelled, ApiError) and mode == "STOP_ON_FAILURE":
        exchange.order_count.add(call.wall_ms)  # counts although it was not attempted
        return _told(cancelled, None)
    return _told(cancelled, _placed(exchange, call, wish, response_type))


def _placed(exchange: Exchange, call: Call, wish: NewOrder, response_type: str) -> Half:
    try:
        return place_one(exchange, call, wish, response_type)
    except ApiError as refusal:
        return refusal


def _told(cancelled: Half, placed: Half) -> dict[str, object]:
    """Both halves in one answer; raises it as -2021 when one of them failed, as -2022 when neither was done."""
    data: dict[str, object] = {
        "cancelResult": _result(cancelled),
        "newOrderResult": _result(placed),
        "cancelResponse": cancelled.body() if isinstance(cancelled, ApiError) else cancelled,
        "newOrderResponse": placed.body() if isinstance(placed, ApiError) else placed,
    }
    done = [isinstance(half, dict) for half in (cancelled, placed)]
    if all(done):
        return data
    raise order_errors.cancel_replace_partially_failed(data) if any(done) else order_errors.cancel_replace_failed(data)


def _result(half: Half) -> str:
    if half is None:
        return "NOT_ATTEMPTED"
    return "FAILURE" if isinstance(half, ApiError) else "SUCCESS"


ENDPOINTS = (
    Endpoint("POST", "/api/v3/order/cancelReplace", lambda params: 1, cancel_replace, signed=True, places_orders=True),
)
