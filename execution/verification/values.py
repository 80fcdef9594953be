"""The rows of the books as values: what is a source, and the figures that are stored beside it. PURE.

Each class of figures holds what can be recomputed of one kind of row; a stored and a recomputed one are compared field
by field (see compare.py). Amounts in quote where nothing else is said.
"""

from dataclasses import dataclass
from decimal import Decimal

from execution.states import OrderStatus, PositionStatus
from market.money import ZERO
from market.orders import Fill, Side


@dataclass(frozen=True, slots=True)
class OrderFigures:
    """``filled`` in base."""

    filled: Decimal = ZERO
    filled_cost: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class PositionFigures:
    """``quantity`` and ``dust`` in base."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    dust: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    reserved: Decimal = ZERO
    exposure: Decimal = ZERO
    unrealised: Decimal = ZERO
    entry_price: Decimal | None = None
    exit_price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class PortfolioFigures:
    """The account's running totals."""

    capital: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO
    cost: Decimal = ZERO
    unrealised: Decimal = ZERO
    reserved: Decimal = ZERO
    exposure: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class BookFigures:
    """One bot's running totals."""

    realised: Decimal = ZERO
    fees: Decimal = ZERO
    unrealised: Decimal = ZERO
    wins: int = 0
    losses: int = 0
    loss_streak: int = 0


@dataclass(frozen=True, slots=True)
class BookedFill:
    """One trade row. ``cash_change`` is stored beside the fill that it follows from."""

    order_id: int
    account_id: int
    symbol: str
    side: Side
    fill: Fill
    cash_change: Decimal


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """One order row: an entry, a resting stop, or (neither) an exit. A unit of an entry reserves ``unit_cost``."""

    pk: int
    name: str
    account_id: int
    bot_id: int
    symbol: str
    side: Side
    is_entry: bool
    is_stop: bool
    status: OrderStatus
    amount: Decimal
    unit_cost: Decimal
    was_sent: bool
    has_ended: bool
    figures: OrderFigures


@dataclass(frozen=True, slots=True)
class BookedPosition:
    """One position row, its times as whether it has them."""

    pk: int
    name: str
    account_id: int
    bot_id: int
    symbol: str
    status: PositionStatus
    mark: Decimal | None
    was_opened: bool
    has_ended: bool
    figures: PositionFigures
