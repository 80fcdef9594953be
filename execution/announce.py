"""Events of orders and positions, written in the transaction of the change they tell."""

from decimal import Decimal

from execution.event_kinds import (
    DustWrittenOff,
    EntryFailed,
    ExitFailed,
    OfOrder,
    OfPosition,
    OrderAbsent,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderPartlyFilled,
    OrderPlaced,
    OrderRejected,
    OrderResolved,
    OrderUnknown,
    PositionChanged,
    PositionClosed,
    PositionOpened,
)
from execution.models import Order, Position
from execution.states import OrderStatus, PositionStatus
from market.clock import Now
from market.money import brief, canonical
from market.orders import OrderReport
from notifications.events import publish
from notifications.kinds import Payload
from notifications.models import Severity

_ORDER_KINDS: dict[OrderStatus, tuple[type[OfOrder], Severity]] = {
    OrderStatus.FILLED: (OrderFilled, Severity.INFO),
    OrderStatus.PARTIAL: (OrderPartlyFilled, Severity.INFO),
    OrderStatus.ACKED: (OrderAccepted, Severity.INFO),
    OrderStatus.CANCELED: (OrderCanceled, Severity.INFO),
    OrderStatus.EXPIRED: (OrderExpired, Severity.WARNING),
    OrderStatus.REJECTED: (OrderRejected, Severity.WARNING),
    OrderStatus.UNKNOWN: (OrderUnknown, Severity.CRITICAL),
    OrderStatus.ABSENT: (OrderAbsent, Severity.WARNING),
}

_POSITION_KINDS: dict[tuple[PositionStatus, PositionStatus], type[OfPosition]] = {
    (PositionStatus.OPENING, PositionStatus.OPEN): PositionOpened,
    (PositionStatus.CLOSING, PositionStatus.CLOSED): PositionClosed,
    (PositionStatus.OPEN, PositionStatus.CLOSED): PositionClosed,
    (PositionStatus.CLOSING, PositionStatus.OPEN): ExitFailed,
    (PositionStatus.OPENING, PositionStatus.FLAT): EntryFailed,
}


def order_placed(order: Order, now: Now) -> None:
    """An order was written down and is about to be sent."""
    text = f"{order.bot.name}: {order.side} {canonical(order.amount)} {order.symbol}, {order.reason}"
    _tell(_of_order(OrderPlaced, order), text, Severity.INFO, order.bot_id, now)


def order_changed(order: Order, before: OrderStatus, report: OrderReport, now: Now) -> None:
    """The exchange said something new of an order, or nothing at all. ``before``: its status until now."""
    status = OrderStatus(order.status)
    kind, severity = _ORDER_KINDS[status]
    said = f"{status.lower()}, {canonical(order.filled)} of {canonical(order.amount)} {order.symbol} filled"
    because = f": {report.reason}" if report.reason else ""
    text = f"{order.bot.name}: {order.side} {said}{because}"
    _tell(_of_order(kind, order), text, severity, order.bot_id, now)
    if before is OrderStatus.UNKNOWN and status is not before:
        text = f"{order.bot.name}: it is known what became of an order: {order.side} {said}"
        _tell(_of_order(OrderResolved, order), text, Severity.INFO, order.bot_id, now)


def position_changed(position: Position, before: PositionStatus, now: Now) -> None:
    """A position moved to another status."""
    kind = _POSITION_KINDS.get((before, PositionStatus(position.status)), PositionChanged)
    severity = Severity.WARNING if kind in (EntryFailed, ExitFailed) else Severity.INFO
    _tell(_of_position(kind, position), _position_text(kind, position), severity, position.bot_id, now)


def dust_written_off(position: Position, dust: Decimal, now: Now) -> None:
    """What was left of a position was too little to sell."""
    text = f"{position.bot.name}: {canonical(dust)} {position.symbol} is too little to sell and was written off"
    _tell(_of_position(DustWrittenOff, position), text, Severity.WARNING, position.bot_id, now)


def _position_text(kind: type[OfPosition], position: Position) -> str:
    what = f"{position.bot.name}: {kind.kind.replace('_', ' ')}, {position.symbol}"
    if kind is PositionOpened and position.entry_price is not None:
        return f"{what}, {brief(position.quantity)} at {brief(position.entry_price)}, stop {brief(position.stop_price)}"
    if kind is PositionClosed:
        return f"{what}, profit {brief(position.realised)} ({position.exit_reason.lower()})"
    return what


def _of_order(kind: type[OfOrder], order: Order) -> OfOrder:
    return kind(
        order=order.client_order_id,
        purpose=order.purpose,
        side=order.side,
        symbol=order.symbol,
        amount=order.amount,
        filled=order.filled,
        cost=order.filled_cost,
        status=order.status,
        reason=order.reason,
        answer=order.answer,
    )


def _of_position(kind: type[OfPosition], position: Position) -> OfPosition:
    return kind(
        position=str(position.pk),
        symbol=position.symbol,
        status=position.status,
        quantity=position.quantity,
        entry_price=position.entry_price,
        exit_price=position.exit_price,
        stop_price=position.stop_price,
        realised=position.realised,
        fees=position.fees,
        exit_reason=position.exit_reason,
    )


def _tell(payload: Payload, text: str, severity: Severity, bot_id: int, now: Now) -> None:
    publish(payload, text, severity=severity, bot_id=bot_id, market_at=now.market_at, wall_at=now.wall_at)
