"""PURE. The exchange's checks of a new order, in the order in which Binance makes them."""

from __future__ import annotations

from decimal import Decimal

from simexchange import errors
from simexchange.instruments import Instrument
from simexchange.orders import NewOrder


def check(order: NewOrder, instrument: Instrument, average_price: Decimal) -> None:
    """Raise the first filter that the order fails. ``average_price`` is of the last five minutes, in quote."""
    if order.quantity is not None:
        check_lot(order.quantity, instrument)
        check_notional(order.quantity * average_price, instrument)
    if order.quote_quantity is not None:
        if order.quote_quantity <= 0:
            raise errors.invalid_quantity()
        check_notional(order.quote_quantity, instrument)


def check_lot(quantity: Decimal, instrument: Instrument) -> None:
    """Quantity in base: positive, within bounds, on the step."""
    if quantity <= 0:
        raise errors.invalid_quantity()
    if not instrument.min_qty <= quantity <= instrument.max_qty or quantity % instrument.step:
        raise errors.filter_failure("LOT_SIZE")
    if quantity > instrument.max_market_qty:
        raise errors.filter_failure("MARKET_LOT_SIZE")


def check_bought(quantity: Decimal, instrument: Instrument) -> None:
    """Quantity in base that an order given in quote comes to; it is on the step already."""
    if quantity < instrument.min_qty:
        raise errors.filter_failure("LOT_SIZE")
    if quantity > instrument.max_market_qty:
        raise errors.filter_failure("MARKET_LOT_SIZE")


def check_notional(value: Decimal, instrument: Instrument) -> None:
    """Value in quote; the upper bound does not apply to market orders."""
    if value < instrument.min_notional:
        raise errors.filter_failure("NOTIONAL")
