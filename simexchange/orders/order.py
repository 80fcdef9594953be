"""PURE. Orders, fills and balances as frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    BUY = "BUY"  # takes base, pays quote
    SELL = "SELL"  # gives base, receives quote


class OrderType(StrEnum):
    LIMIT = "LIMIT"  # takes what its price allows; what is left rests, or ends, as its time in force says
    LIMIT_MAKER = "LIMIT_MAKER"  # rests, and is refused when it would take
    MARKET = "MARKET"  # fills at once against the book, never rests
    STOP_LOSS = "STOP_LOSS"  # a market order once the price has gone against the holder to the stop price
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"  # a limit order then; a gap may jump over its limit
    TAKE_PROFIT = "TAKE_PROFIT"  # a market order once the price has gone the holder's way to the stop price
    TAKE_PROFIT_LIMIT = "TAKE_PROFIT_LIMIT"  # a limit order then


#: "Algo" orders: they wait for their stop price before they are worked.
STOP_TYPES = frozenset(
    {OrderType.STOP_LOSS, OrderType.STOP_LOSS_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT}
)
#: Types without a price of their own: they take whatever the book offers and never rest in it.
MARKET_TYPES = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT})


class TimeInForce(StrEnum):
    GTC = "GTC"  # rests until it is filled or cancelled
    IOC = "IOC"  # takes what it can at once, the rest expires
    FOK = "FOK"  # takes all of it at once, or nothing


class SelfTrade(StrEnum):
    EXPIRE_MAKER = "EXPIRE_MAKER"  # own resting orders in the way expire, the new one goes on
    EXPIRE_TAKER = "EXPIRE_TAKER"  # the new order ends where an own one is in the way
    EXPIRE_BOTH = "EXPIRE_BOTH"  # both do


class Status(StrEnum):
    NEW = "NEW"  # resting in the book or waiting for its stop price, nothing filled
    PARTIALLY_FILLED = "PARTIALLY_FILLED"  # resting, some of it filled
    FILLED = "FILLED"  # all of it filled
    CANCELED = "CANCELED"  # taken out by the client; may be partly filled
    EXPIRED = "EXPIRED"  # ended by the exchange (no more book or time, or its pair came first); may be partly filled
    EXPIRED_IN_MATCH = "EXPIRED_IN_MATCH"  # ended because it would have traded with an own order; may be partly filled


#: Statuses of orders that rest in the book; only among these must a client order id be unique.
OPEN_STATUSES = frozenset({Status.NEW, Status.PARTIALLY_FILLED})


@dataclass(frozen=True)
class NewOrder:
    """A wish. A market order has exactly one of ``quantity`` (base) and ``quote_quantity`` (quote), every other order a
    quantity. ``price`` and ``stop_price`` are 0 where the type has none."""

    symbol: str
    side: Side
    type: OrderType
    client_order_id: str
    quantity: Decimal | None
    quote_quantity: Decimal | None = None
    price: Decimal = Decimal(0)
    stop_price: Decimal = Decimal(0)
    time_in_force: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER


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
    list_id: int = -1


@dataclass(frozen=True)
class Order:
    """An accepted order. ``order_id`` is unique per symbol; ``quote_executed`` is what its fills cost or brought.

    ``locked`` is what it binds of the asset it pays with. ``working_ms`` is when it entered the book, -1 while it waits
    for its stop price. ``met`` counts the levels of depth that have traded with it while it rested (see
    ``resting.py``). ``list_id`` names the OCO pair it belongs to, -1 for none.
    """

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
    price: Decimal = Decimal(0)
    stop_price: Decimal = Decimal(0)
    time_in_force: TimeInForce = TimeInForce.GTC
    self_trade: SelfTrade = SelfTrade.EXPIRE_MAKER
    locked: Decimal = Decimal(0)
    working_ms: int = -1
    met: int = 0
    list_id: int = -1

    @property
    def remaining(self) -> Decimal:
        """What is left to fill, in base."""
        return self.quantity - self.executed

    @property
    def waiting(self) -> bool:
        """Whether it still waits for its stop price."""
        return self.working_ms < 0 and self.status in OPEN_STATUSES

    @property
    def key(self) -> tuple[str, int]:
        return self.symbol, self.order_id


@dataclass(frozen=True)
class OrderList:
    """An OCO pair: the first of its two orders that trades or triggers ends the other."""

    list_id: int
    symbol: str
    client_id: str
    time_ms: int
    order_ids: tuple[int, int]


@dataclass(frozen=True)
class Balance:
    """Holdings of one asset: ``locked`` is bound by resting orders."""

    free: Decimal = Decimal(0)
    locked: Decimal = Decimal(0)
