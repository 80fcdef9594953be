"""Orders as an exchange sees them: what is asked, what is answered. PURE."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum


class Side(StrEnum):
    """Which way base currency flows."""

    BUY = "BUY"  # base in, quote out
    SELL = "SELL"  # base out, quote in


class OrderType(StrEnum):
    """How an order executes."""

    MARKET = "MARKET"  # at once, at whatever the book gives
    LIMIT = "LIMIT"  # at its price or better, rests until then
    STOP_LOSS_LIMIT = "STOP_LOSS_LIMIT"  # becomes a limit order when the stop price is touched


class ReportStatus(StrEnum):
    """What the exchange says of an order."""

    NEW = "NEW"  # accepted, nothing filled yet
    PARTIAL = "PARTIAL"  # some filled, the rest rests
    FILLED = "FILLED"  # all filled
    CANCELED = "CANCELED"  # ended by us; may have fills
    EXPIRED = "EXPIRED"  # ended by the exchange; may have fills
    REJECTED = "REJECTED"  # definitely not accepted: it never was in the book
    ABSENT = "ABSENT"  # proven: the exchange never had it and never will


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """One order to send. ``amount`` is in base, prices in quote; the client order id is our own name for it.

    ``worst_price`` is the most that a unit may cost when a buy at the market is filled; None for no such bound.
    """

    client_order_id: str
    symbol: str
    side: Side
    type: OrderType
    amount: Decimal
    price: Decimal | None = None
    stop_price: Decimal | None = None
    worst_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Fill:
    """One trade of an order. ``trade_id`` is unique per account and symbol; fee is in ``fee_currency``.

    ``fee_rate`` is the price in quote of one unit of the fee currency, where that is neither base nor quote.
    """

    trade_id: str
    price: Decimal
    amount: Decimal
    fee: Decimal
    fee_currency: str
    executed_at: datetime
    fee_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class OrderReport:
    """An answer about one order: its status and ALL fills known so far (applying one twice is harmless).

    A status at which the order ended comes with all fills that there will ever be. ``code``: the exchange's own, of a
    refusal.
    """

    client_order_id: str
    status: ReportStatus
    exchange_order_id: str = ""
    fills: tuple[Fill, ...] = ()
    reason: str = ""
    code: str = ""


@dataclass(frozen=True, slots=True)
class VenueOrder:
    """One order as the exchange lists it. ``amount`` and ``filled`` are in base.

    ``fills`` are those that came with the answer: where they do not add up to ``filled``, the rest has to be asked for.
    ``placed_at`` is market time, None where the answer does not tell.
    """

    symbol: str
    client_order_id: str
    exchange_order_id: str
    side: Side
    status: ReportStatus
    amount: Decimal
    filled: Decimal
    fills: tuple[Fill, ...] = ()
    placed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VenueTrade:
    """One of the account's trades at the exchange, and the order it belongs to."""

    exchange_order_id: str
    fill: Fill
