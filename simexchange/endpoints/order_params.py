"""PURE. What a request wants to order: which parameters each type must have and must not have."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from simexchange.errors import order_errors, parameter_errors
from simexchange.orders.order import STOP_TYPES, NewOrder, OrderType, SelfTrade, Side, TimeInForce
from simexchange.requests.params import Params

#: Per type: what must be sent, and which of the others must not. What is in neither list may be sent.
_RULES: dict[OrderType, tuple[tuple[str, ...], tuple[str, ...]]] = {
    OrderType.LIMIT: (("timeInForce", "quantity", "price"), ("quoteOrderQty", "stopPrice", "trailingDelta")),
    OrderType.LIMIT_MAKER: (
        ("quantity", "price"),
        ("quoteOrderQty", "stopPrice", "timeInForce", "trailingDelta"),
    ),
    OrderType.MARKET: ((), ("price", "stopPrice", "timeInForce", "icebergQty", "trailingDelta")),
    OrderType.STOP_LOSS: (("quantity",), ("price", "timeInForce", "quoteOrderQty", "icebergQty")),
    OrderType.TAKE_PROFIT: (("quantity",), ("price", "timeInForce", "quoteOrderQty", "icebergQty")),
    OrderType.STOP_LOSS_LIMIT: (("timeInForce", "quantity", "price"), ("quoteOrderQty",)),
    OrderType.TAKE_PROFIT_LIMIT: (("timeInForce", "quantity", "price"), ("quoteOrderQty",)),
}
_NAMES = (
    "clientOrderId", "quantity", "quoteOrderQty", "price", "stopPrice", "timeInForce", "icebergQty", "trailingDelta",
    "strategyId", "strategyType",
)  # fmt: skip
_RESPONSES = ("ACK", "RESULT", "FULL")
_CANCEL_RESTRICTIONS = ("ONLY_NEW", "ONLY_PARTIALLY_FILLED")


@dataclass(frozen=True)
class Leg:
    """The parameters of one order: by which name the request calls each. What has no name cannot be sent."""

    params: Params
    names: Mapping[str, str]

    @classmethod
    def of_request(cls, params: Params) -> Leg:
        """The request is about this one order."""
        return cls(params, {name: name for name in _NAMES} | {"clientOrderId": "newClientOrderId"})

    @classmethod
    def prefixed(cls, params: Params, prefix: str) -> Leg:
        """One of two orders, told apart by a prefix (``aboveStopPrice``); they share the quantity."""
        names = {name: prefix + name[0].upper() + name[1:] for name in _NAMES if name != "quoteOrderQty"}
        return cls(params, names | {"quantity": "quantity"})

    def text(self, name: str) -> str | None:
        return self.params.text(self.names[name]) if name in self.names else None

    def positive(self, name: str) -> Decimal:
        """A price that may be absent (0), but not zero when it is sent."""
        value = self.params.amount(self.names[name]) if name in self.names else None
        if value is not None and value <= 0:
            raise order_errors.invalid_price()
        return value or Decimal(0)

    def client_id(self) -> str:
        return self.params.client_id(self.names["clientOrderId"]) or new_client_id()


def new_client_id() -> str:
    """As the exchange makes one up: 22 characters."""
    return secrets.token_urlsafe(16)


def new_order(params: Params) -> tuple[NewOrder, str]:
    """The order asked for, and how much of it to tell back."""
    symbol, side, kind = params.symbol(), side_of(params), kind_of(params, "type")
    leg = Leg.of_request(params)
    check_presence(leg, kind)
    quantity, quote_quantity = params.amount("quantity"), params.amount("quoteOrderQty")
    if kind is OrderType.MARKET and quantity is None and quote_quantity is None:
        raise parameter_errors.missing_either("quantity", "quoteOrderQty")
    if quantity is not None and quote_quantity is not None:
        raise parameter_errors.not_required("quoteOrderQty")
    default = "FULL" if kind in (OrderType.MARKET, OrderType.LIMIT) else "ACK"
    return wish(leg, symbol, side, kind, quantity, quote_quantity), response_type(params, default)


def wish(
    leg: Leg, symbol: str, side: Side, kind: OrderType, quantity: Decimal | None, quote: Decimal | None = None
) -> NewOrder:
    """The order of one leg, whose parameters are known to be the right ones."""
    time_in_force = leg.text("timeInForce") or TimeInForce.GTC
    if time_in_force not in TimeInForce.__members__:
        raise parameter_errors.invalid_time_in_force()
    leg.params.ignore(*(leg.names[name] for name in ("strategyId", "strategyType")))
    return NewOrder(
        symbol=symbol,
        side=side,
        type=kind,
        client_order_id=leg.client_id(),
        quantity=quantity,
        quote_quantity=quote,
        price=leg.positive("price"),
        stop_price=leg.positive("stopPrice"),
        time_in_force=TimeInForce(time_in_force),
        self_trade=_self_trade(leg.params),
    )


def check_presence(leg: Leg, kind: OrderType) -> None:
    """Raise for a parameter that the type needs and that was not sent, or was sent and is not for this type."""
    must, must_not = _RULES[kind]
    for name in must:
        leg.params.required(leg.names[name])
    for name in must_not:
        if leg.text(name) is not None:
            raise parameter_errors.not_required(leg.names[name])
    trailing = leg.text("trailingDelta") is not None
    if kind in STOP_TYPES and leg.text("stopPrice") is None and not trailing:
        raise parameter_errors.missing_either(leg.names["stopPrice"], leg.names["trailingDelta"])
    if trailing:
        raise order_errors.rejected("Trailing stop orders are not supported for this symbol.")
    if leg.text("icebergQty") is not None:
        raise order_errors.rejected("Iceberg orders are not supported for this symbol.")


def side_of(params: Params) -> Side:
    side = params.required("side")
    if side not in Side.__members__:
        raise parameter_errors.invalid_side()
    return Side(side)


def kind_of(params: Params, name: str) -> OrderType:
    kind = params.required(name)
    if kind not in OrderType.__members__:
        raise parameter_errors.invalid_order_type()
    return OrderType(kind)


def _self_trade(params: Params) -> SelfTrade:
    mode = params.text("selfTradePreventionMode") or SelfTrade.EXPIRE_MAKER
    if mode not in SelfTrade.__members__:
        raise parameter_errors.bad_data("selfTradePreventionMode")
    return SelfTrade(mode)


def response_type(params: Params, default: str) -> str:
    asked = params.text("newOrderRespType") or default
    if asked not in _RESPONSES:
        raise parameter_errors.bad_data("newOrderRespType")
    return asked


def cancel_restrictions(params: Params) -> str | None:
    asked = params.text("cancelRestrictions")
    if asked is not None and asked not in _CANCEL_RESTRICTIONS:
        raise parameter_errors.invalid_cancel_restrictions()
    return asked
