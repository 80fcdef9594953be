"""Which positions somebody has to see to between ticks. Rows in, ids out; nothing here acts."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from bots.models import Mode
from execution.models import Order, Position, Purpose
from execution.states import RESTING_ORDER, UNFINISHED_ORDER, UNSETTLED_ORDER, PositionStatus

_COLUMNS = ("pk", "bot_id", "account_id", "symbol", "bot__name")
"""Of a position, what its chore is."""


@dataclass(frozen=True, slots=True)
class Chore:
    """A position that is not where it rests."""

    position_id: int
    bot_id: int
    account_id: int
    symbol: str
    bot: str = ""


@dataclass(frozen=True, slots=True)
class Watched:
    """An OPEN position, live or on paper, and the prices at which it is left. ``limit``: the price below which its
    resting stop cannot sell; None: no stop is known to rest for it, as never on paper. ``mark``: what it was last
    valued at."""

    chore: Chore
    stop_price: Decimal
    target_price: Decimal | None
    mark: Decimal | None
    limit: Decimal | None


def unsettled() -> list[Chore]:
    """Positions that are opening or closing, or have an order of which something has to be found out."""
    moving = Q(status__in=[PositionStatus.OPENING, PositionStatus.CLOSING])
    return _chores(Position.objects.filter(moving | Exists(_unsettled_orders())))


def unprotected() -> list[Chore]:
    """Positions on live accounts that hold something for which no closing order works: no stop rests, and no exit is on
    its way, though one may have been decided."""
    held = Position.objects.filter(
        status__in=[PositionStatus.OPEN, PositionStatus.CLOSING], account__mode=Mode.LIVE
    ).exclude(Exists(_closing_orders().filter(position=OuterRef("pk"))))
    return _chores(held)


def guarded_accounts() -> set[int]:
    """Accounts for which orders rest at the exchange: they may be filled at any moment."""
    return set(Order.objects.filter(status__in=list(RESTING_ORDER)).order_by().values_list("account", flat=True))


def watched() -> list[Watched]:
    """Every OPEN position, and what protects it."""
    held = Position.objects.filter(status=PositionStatus.OPEN)
    resting = Order.objects.filter(status__in=list(RESTING_ORDER), purpose=Purpose.STOP, position__in=held)
    limits = dict(resting.order_by().values_list("position_id", "price"))
    rows = held.order_by("pk").values_list("stop_price", "target_price", "mark_price", *_COLUMNS)
    return [Watched(Chore(pk, *rest), stop, target, mark, limits.get(pk)) for stop, target, mark, pk, *rest in rows]


def _closing_orders() -> QuerySet[Order]:
    orders = Order.objects.filter(status__in=list(UNFINISHED_ORDER)).exclude(purpose=Purpose.ENTRY)
    return orders.order_by()


def _unsettled_orders() -> QuerySet[Order]:
    in_doubt = Q(status__in=list(UNSETTLED_ORDER))
    working = Q(status__in=list(RESTING_ORDER)) & ~Q(purpose=Purpose.STOP)
    return Order.objects.filter(in_doubt | working, position=OuterRef("pk"))


def _chores(positions: QuerySet[Position]) -> list[Chore]:
    return [Chore(*row) for row in positions.order_by("pk").values_list(*_COLUMNS)]
