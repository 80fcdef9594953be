"""What an order's new status does to its position. PURE."""

from collections.abc import Callable
from decimal import Decimal

from execution.states import UNFINISHED_ORDER, OrderStatus, PositionStatus


def after_entry(position: PositionStatus, order: OrderStatus, quantity: Decimal) -> PositionStatus:
    """After news of its entry order. It is open from the first fill on, though more may follow."""
    if position is PositionStatus.OPENING and quantity:
        return PositionStatus.OPEN
    if order in UNFINISHED_ORDER or position is PositionStatus.CLOSING:
        return position
    return position if quantity else _ended(position)


def after_exit(order: OrderStatus, filled: Decimal, quantity: Decimal) -> PositionStatus:
    """After news of an exit order; ``quantity`` is what is still held.

    What ended without being refused goes on: a rest that was not sold, or an order that never left, is tried anew. An
    exit that was refused, never arrived or sold nothing is decided anew, and a stop protects the position until then.
    """
    if order in UNFINISHED_ORDER:
        return PositionStatus.CLOSING
    if not quantity:
        return PositionStatus.CLOSED
    goes_on = order in (OrderStatus.FILLED, OrderStatus.CANCELED) or (order is OrderStatus.EXPIRED and filled)
    return PositionStatus.CLOSING if goes_on else PositionStatus.OPEN


def after_stop(
    position: PositionStatus, order: OrderStatus, quantity: Decimal, buying: Callable[[], bool] = lambda: False
) -> PositionStatus:
    """After news of its protective stop: closed when it sold all, else as it was.

    ``buying`` tells whether the entry still works: then it has to be ended first.
    """
    if quantity or order in UNFINISHED_ORDER:
        return position
    return PositionStatus.CLOSING if buying() else PositionStatus.CLOSED


def _ended(position: PositionStatus) -> PositionStatus:
    """Nothing is held and nothing more will come."""
    return PositionStatus.FLAT if position is PositionStatus.OPENING else PositionStatus.CLOSED
