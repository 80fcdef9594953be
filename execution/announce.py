"""Events of orders and positions, written in the transaction of the change they tell."""

from decimal import Decimal

from execution.models import Order, Position
from execution.states import OrderStatus, PositionStatus
from market.clock import Now
from market.money import brief, canonical
from market.orders import OrderReport
from notifications.events import publish
from notifications.models import Severity

_ORDER_KINDS: dict[OrderStatus, tuple[str, Severity]] = {
    OrderStatus.FILLED: ("order_filled", Severity.INFO),
    OrderStatus.PARTIAL: ("order_partly_filled", Severity.INFO),
    OrderStatus.ACKED: ("order_accepted", Severity.INFO),
    OrderStatus.CANCELED: ("order_canceled", Severity.INFO),
    OrderStatus.EXPIRED: ("order_expired", Severity.WARNING),
    OrderStatus.REJECTED: ("order_rejected", Severity.WARNING),
    OrderStatus.UNKNOWN: ("order_unknown", Severity.CRITICAL),
    OrderStatus.ABSENT: ("order_absent", Severity.WARNING),
}


def order_placed(order: Order, now: Now) -> None:
    """An order was written down and is about to be sent."""
    text = f"{order.bot.name}: {order.side} {canonical(order.amount)} {order.symbol}, {order.reason}"
    _tell("order_placed", text, Severity.INFO, order.bot_id, _order_payload(order), now)


def order_changed(order: Order, status: OrderStatus, report: OrderReport, now: Now) -> None:
    """The exchange said something new of an order."""
    kind, severity = _ORDER_KINDS[status]
    filled = f"{canonical(order.filled)} of {canonical(order.amount)} {order.symbol}"
    because = f": {report.reason}" if report.reason else ""
    text = f"{order.bot.name}: {order.side} {status.lower()}, {filled} filled{because}"
    _tell(kind, text, severity, order.bot_id, _order_payload(order), now)


def position_changed(position: Position, before: PositionStatus, now: Now) -> None:
    """A position moved to another status."""
    status = PositionStatus(position.status)
    kind = {
        (PositionStatus.OPENING, PositionStatus.OPEN): "position_opened",
        (PositionStatus.CLOSING, PositionStatus.CLOSED): "position_closed",
        (PositionStatus.OPEN, PositionStatus.CLOSED): "position_closed",
        (PositionStatus.CLOSING, PositionStatus.OPEN): "exit_failed",
        (PositionStatus.OPENING, PositionStatus.FLAT): "entry_failed",
    }.get((before, status), "position_changed")
    severity = Severity.WARNING if kind.endswith("failed") else Severity.INFO
    _tell(kind, _position_text(kind, position), severity, position.bot_id, _position_payload(position), now)


def dust_written_off(position: Position, dust: Decimal, now: Now) -> None:
    """What was left of a position was too little to sell."""
    text = f"{position.bot.name}: {_text(dust)} {position.symbol} is too little to sell and was written off"
    _tell("dust_written_off", text, Severity.WARNING, position.bot_id, _position_payload(position), now)


def _position_text(kind: str, position: Position) -> str:
    what = f"{position.bot.name}: {kind.replace('_', ' ')}, {position.symbol}"
    if kind == "position_opened" and position.entry_price is not None:
        return f"{what}, {brief(position.quantity)} at {brief(position.entry_price)}, stop {brief(position.stop_price)}"
    if kind == "position_closed":
        return f"{what}, profit {brief(position.realised)} ({position.exit_reason.lower()})"
    return what


def _order_payload(order: Order) -> dict[str, str]:
    return {
        "order": order.client_order_id,
        "purpose": order.purpose,
        "side": order.side,
        "symbol": order.symbol,
        "amount": canonical(order.amount),
        "filled": canonical(order.filled),
        "cost": canonical(order.filled_cost),
        "status": order.status,
        "reason": order.reason,
        "answer": order.answer,
    }


def _position_payload(position: Position) -> dict[str, str]:
    return {
        "position": str(position.pk),
        "symbol": position.symbol,
        "status": position.status,
        "quantity": _text(position.quantity),
        "entry_price": _text(position.entry_price),
        "exit_price": _text(position.exit_price),
        "stop_price": _text(position.stop_price),
        "realised": _text(position.realised),
        "fees": _text(position.fees),
        "exit_reason": position.exit_reason,
    }


def _text(amount: Decimal | None) -> str:
    return "" if amount is None else canonical(amount)


def _tell(kind: str, text: str, severity: Severity, bot_id: int, payload: dict[str, str], now: Now) -> None:
    publish(kind, text, severity=severity, bot_id=bot_id, payload=payload, market_at=now.market_at, wall_at=now.wall_at)
