"""What the end of an order does to its position. PURE."""

from decimal import Decimal

from execution.states import TERMINAL_ORDER, OrderStatus, PositionStatus


def after_entry(order: OrderStatus, quantity: Decimal) -> PositionStatus:
    """The position's status for its entry order's status and the quantity held."""
    if order not in TERMINAL_ORDER:
        return PositionStatus.OPENING
    return PositionStatus.OPEN if quantity else PositionStatus.FLAT


def after_exit(order: OrderStatus, quantity: Decimal) -> PositionStatus:
    """The position's status for an exit order's status and the quantity still held."""
    if order not in TERMINAL_ORDER:
        return PositionStatus.CLOSING
    return PositionStatus.OPEN if quantity else PositionStatus.CLOSED
