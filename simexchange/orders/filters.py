"""PURE. The exchange's checks of a new order, in the order in which Binance makes them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from simexchange.errors import order_errors
from simexchange.market.instruments import (
    MAX_ALGO_ORDERS,
    MAX_NOTIONAL,
    MAX_ORDERS,
    MAX_PRICE,
    PERCENT_DOWN,
    PERCENT_UP,
    Instrument,
)
from simexchange.orders.order import MARKET_TYPES, STOP_TYPES, NewOrder, Order, OrderType


def check(order: NewOrder, instrument: Instrument, average_price: Decimal) -> None:
    """Raise the first filter that the order fails. ``average_price`` is of the last five minutes, in quote."""
    for price in (order.price, order.stop_price):
        if price:
            check_price(price, instrument)
    if order.price:
        check_percent(order.price, average_price)
    if order.quantity is not None:
        check_lot(order.quantity, instrument)
        if order.type in MARKET_TYPES:
            check_market_lot(order.quantity, instrument)
        check_notional(order, order.quantity * (order.price or order.stop_price or average_price), instrument)
    if order.quote_quantity is not None:
        if order.quote_quantity <= 0:
            raise order_errors.invalid_quantity()
        check_notional(order, order.quote_quantity, instrument)


def check_price(price: Decimal, instrument: Instrument) -> None:
    """A limit or stop price in quote: within bounds, on the tick."""
    if not instrument.tick <= price <= MAX_PRICE or price % instrument.tick:
        raise order_errors.filter_failure("PRICE_FILTER")


def check_percent(price: Decimal, average_price: Decimal) -> None:
    """A limit price not too far from the average; the same bounds for both sides."""
    if not average_price * PERCENT_DOWN <= price <= average_price * PERCENT_UP:
        raise order_errors.filter_failure("PERCENT_PRICE_BY_SIDE")


def check_lot(quantity: Decimal, instrument: Instrument) -> None:
    """Quantity in base: positive, within bounds, on the step."""
    if quantity <= 0:
        raise order_errors.invalid_quantity()
    if not instrument.min_qty <= quantity <= instrument.max_qty or quantity % instrument.step:
        raise order_errors.filter_failure("LOT_SIZE")


def check_market_lot(quantity: Decimal, instrument: Instrument) -> None:
    """Quantity in base of an order that takes any price; it is on the step already."""
    if quantity > instrument.max_market_qty:
        raise order_errors.filter_failure("MARKET_LOT_SIZE")


def check_bought(quantity: Decimal, instrument: Instrument) -> None:
    """Quantity in base that an order given in quote comes to; it is on the step already."""
    if quantity < instrument.min_qty:
        raise order_errors.filter_failure("LOT_SIZE")
    check_market_lot(quantity, instrument)


def check_notional(order: NewOrder, value: Decimal, instrument: Instrument) -> None:
    """Value in quote; the upper bound does not apply to market orders."""
    if value < instrument.min_notional or (order.type is not OrderType.MARKET and value > MAX_NOTIONAL):
        raise order_errors.filter_failure("NOTIONAL")


def check_room(new: Iterable[NewOrder], open_orders: Iterable[Order], symbol: str) -> None:
    """Whether more orders may be open on the symbol; a market order never is."""
    resting = [order.type for order in open_orders if order.symbol == symbol]
    wanted = [order.type for order in new if order.type is not OrderType.MARKET]
    if wanted and len(resting) + len(wanted) > MAX_ORDERS:
        raise order_errors.filter_failure("MAX_NUM_ORDERS")
    algos, more = (sum(kind in STOP_TYPES for kind in kinds) for kinds in (resting, wanted))
    if more and algos + more > MAX_ALGO_ORDERS:
        raise order_errors.filter_failure("MAX_NUM_ALGO_ORDERS")
