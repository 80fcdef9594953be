"""PURE. Orders, fills and balances as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    BUY = "BUY"  # takes base, pays quote
    SELL = "SELL"  # gives base, receives quote


class OrderType(StrEnum):
    MARKET = "MARKET"  # fills at once against the book, never rests


class Status(StrEnum):
    NEW = "NEW"  # resting in the book, nothing filled
    PARTIALLY_FILLED = "PARTIALLY_FILLED"  # resting, some of it filled
    FILLED = "FILLED"  # all of it filled
    CANCELED = "CANCELED"  # taken out by the client
    EXPIRED = "EXPIRED"  # ended by the exchange: a market order that ran out of book; may be partly filled


#: Statuses of orders that rest in the book; only among these must a client order id be unique.
OPEN_STATUSES = frozenset({Status.NEW, Status.PARTIALLY_FILLED})


@dataclass(frozen=True)
class NewOrder:
    """A wish: exactly one of ``quantity`` (base) and ``quote_quantity`` (quote) is set."""

    symbol: str
    side: Side
    type: OrderType
    client_order_id: str
    quantity: Decimal | None
    quote_quantity: Decimal | None


@dataclass(frozen=True)
class Fill:
    """One execution. ``trade_id`` is unique per symbol, not per account. Times are market time."""

    symbol: str
    trade_id: int
    order_id: int
    side: Side
    price: Decimal
    quantity: Decimal
    quote_quantity: Decimal
    commission: Decimal
    commission_asset: str
    time_ms: int
    is_maker: bool


@dataclass(frozen=True)
class Order:
    """An accepted order. ``order_id`` is unique per symbol; ``quote_executed`` is what its fills cost or brought."""

    symbol: str
    order_id: int
    client_order_id: str
    side: Side
    type: OrderType
    quantity: Decimal
    quote_quantity: Decimal  # 0 unless the order was given in quote
    executed: Decimal
    quote_executed: Decimal
    status: Status
    time_ms: int
    updated_ms: int


@dataclass(frozen=True)
class Balance:
    """Holdings of one asset: ``locked`` is bound by resting orders."""

    free: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)
