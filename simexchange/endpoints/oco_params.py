"""PURE. What a request for a pair wants: by the newer names (above, below) or by the older ones (limit, stop)."""

from __future__ import annotations

from collections.abc import Callable

from simexchange.endpoints.order_params import Leg, check_presence, kind_of, new_client_id, response_type, side_of, wish
from simexchange.errors import oco_errors
from simexchange.errors.api_error import ApiError
from simexchange.orders.oco import NewPair
from simexchange.orders.order import STOP_TYPES, OrderType, Side
from simexchange.requests.params import Params

_STOPS = (OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT)
# What the older request calls the parameters of its two orders.
_OLD_LIMIT = {
    "clientOrderId": "limitClientOrderId",
    "quantity": "quantity",
    "price": "price",
    "icebergQty": "limitIcebergQty",
    "strategyId": "limitStrategyId",
    "strategyType": "limitStrategyType",
}
_OLD_STOP = {
    "clientOrderId": "stopClientOrderId",
    "quantity": "quantity",
    "price": "stopLimitPrice",
    "stopPrice": "stopPrice",
    "timeInForce": "stopLimitTimeInForce",
    "icebergQty": "stopIcebergQty",
    "trailingDelta": "trailingDelta",
    "strategyId": "stopStrategyId",
    "strategyType": "stopStrategyType",
}
_PROFITS = (OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)


def new_pair(params: Params) -> tuple[NewPair, str]:
    """As POST orderList/oco asks for it."""
    symbol, side = params.symbol(), side_of(params)
    params.required("quantity")
    quantity = params.amount("quantity")
    kinds = {prefix: kind_of(params, f"{prefix}Type") for prefix in ("above", "below")}
    _check_kinds(side, kinds["above"], kinds["below"])
    legs = {prefix: Leg.prefixed(params, prefix) for prefix in kinds}
    for prefix, kind in kinds.items():
        check_presence(legs[prefix], kind)
    above, below = (wish(legs[prefix], symbol, side, kind, quantity) for prefix, kind in kinds.items())
    client_id = params.client_id("listClientOrderId") or new_client_id()
    return NewPair(client_id, above, below), response_type(params, "RESULT")


def _check_kinds(side: Side, above: OrderType, below: OrderType) -> None:
    """A limit or take-profit order on the side where the price is better, a stop order on the other; or two of them
    that wait for a stop price."""
    buying = side is Side.BUY
    worse, better = (above, below) if buying else (below, above)
    refusals: list[tuple[bool, Callable[[], ApiError]]] = [
        (not {above, below} <= {OrderType.LIMIT_MAKER, *STOP_TYPES}, oco_errors.unsupported_in_oco),
        (above is below is OrderType.LIMIT_MAKER, oco_errors.one_must_be_contingent),
        (
            worse is OrderType.LIMIT_MAKER,
            oco_errors.buy_limit_must_be_below if buying else oco_errors.sell_limit_must_be_above,
        ),
        (worse in _PROFITS, oco_errors.buy_profit_must_be_below if buying else oco_errors.sell_profit_must_be_above),
        (better in _STOPS, oco_errors.buy_stop_must_be_above if buying else oco_errors.sell_stop_must_be_below),
    ]
    for wrong, refusal in refusals:
        if wrong:
            raise refusal()


def old_pair(params: Params) -> tuple[NewPair, str]:
    """As the older POST order/oco asks for it: a limit maker at ``price`` and a stop at ``stopPrice``, which becomes a
    limit order when ``stopLimitPrice`` is sent."""
    symbol, side = params.symbol(), side_of(params)
    params.required("quantity")
    quantity = params.amount("quantity")
    stop_kind = OrderType.STOP_LOSS if params.text("stopLimitPrice") is None else OrderType.STOP_LOSS_LIMIT
    limit_leg, stop_leg = Leg(params, _OLD_LIMIT), Leg(params, _OLD_STOP)
    check_presence(limit_leg, OrderType.LIMIT_MAKER)
    check_presence(stop_leg, stop_kind)
    limit = wish(limit_leg, symbol, side, OrderType.LIMIT_MAKER, quantity)
    stop = wish(stop_leg, symbol, side, stop_kind, quantity)
    client_id = params.client_id("listClientOrderId") or new_client_id()
    above, below = (stop, limit) if side is Side.BUY else (limit, stop)
    return NewPair(client_id, above, below), response_type(params, "RESULT")
