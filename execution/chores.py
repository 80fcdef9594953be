"""Which positions somebody has to see to between ticks. Rows in, ids out; nothing here acts."""

from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Exists, OuterRef, Q, QuerySet

from bots.models import Mode
from execution.models import Order, Position, Purpose
from execution.states import UNFINISHED_ORDER, OrderStatus, PositionStatus


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
    """An OPEN position on a live account. ``limit``: the price below which its resting stop cannot sell; None: no stop
    is known to rest for it."""

    chore: Chore
    stop_price: Decimal
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


def watched() -> list[Watched]:
    """Every OPEN position on a live account, and what protects it."""
    resting = _closing_orders().filter(status__in=[OrderStatus.ACKED, OrderStatus.PARTIAL], purpose=Purpose.STOP)
    limits = dict(resting.filter(position__in=_open_live()).values_list("position_id", "price"))
    stops = dict(_open_live().values_list("pk", "stop_price"))
    held = _chores(_open_live())
    return [Watched(c, stops[c.position_id], limits.get(c.position_id)) for c in held if c.position_id in stops]


def _open_live() -> QuerySet[Position]:
    return Position.objects.filter(status=PositionStatus.OPEN, account__mode=Mode.LIVE)


def _closing_orders() -> QuerySet[Order]:
    orders = Order.objects.filter(status__in=list(UNFINISHED_ORDER)).exclude(purpose=Purpose.ENTRY)
    return orders.order_by()


def _unsettled_orders() -> QuerySet[Order]:
    sending = Q(status__in=[OrderStatus.PREPARED, OrderStatus.SENT, OrderStatus.UNKNOWN])
    working = Q(status__in=[OrderStatus.ACKED, OrderStatus.PARTIAL]) & ~Q(purpose=Purpose.STOP)
    return Order.objects.filter(sending | working, position=OuterRef("pk"))


def _chores(positions: QuerySet[Position]) -> list[Chore]:
    columns = "pk", "bot_id", "account_id", "symbol", "bot__name"
    return [Chore(*row) for row in positions.order_by("pk").values_list(*columns)]
