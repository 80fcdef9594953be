"""Booking what a human did at the exchange, past the platform."""

from decimal import Decimal

from execution.intents import write_exit
from execution.models import Order, Portfolio, Position
from execution.record import mark_closing, mark_sent, record_locked
from execution.states import UNFINISHED_ORDER, PositionStatus
from market.clock import Now
from market.money import ZERO
from market.orders import Fill, OrderReport, ReportStatus
from risk.exits import ExitReason

ANSWER = "sold by hand at the exchange"


class NotSoldByHand(ValueError):
    """The position cannot have been sold by hand, as far as our books know. The text says what is in the way."""


def book_sale(portfolio: Portfolio, position_id: int, price: Decimal, reason: str, now: Now) -> Order:
    """All that a position holds was sold at ``price``, without a fee: one exit order with one fill, and the moves that
    an exit of our own makes. Under the caller's portfolio lock. Raises NotSoldByHand."""
    position = Position.objects.select_related("bot__account").get(pk=position_id)
    _require_idle(position)
    if position.status == PositionStatus.OPEN:
        mark_closing(position, ExitReason.OPERATOR, f"{ANSWER}: {reason}", price)
        position.refresh_from_db(fields=["exit_text", "exit_reference"])
    order = write_exit(position, position.quantity, None, now)
    mark_sent(order, now)  # the only way to FILLED; nothing is sent in this transaction or after it
    quote = position.symbol.partition("/")[2]
    fill = Fill(f"hand-{position.pk}", price, position.quantity, ZERO, quote, now.market_at)
    report = OrderReport(order.client_order_id, ReportStatus.FILLED, fills=(fill,), reason=ANSWER)
    record_locked(portfolio, order, report, now)
    order.refresh_from_db()
    return order


def _require_idle(position: Position) -> None:
    """A CLOSING one may be sold by hand too: its own exit cannot be sent where its symbol is not listed any more."""
    if position.status not in (PositionStatus.OPEN, PositionStatus.CLOSING):
        raise NotSoldByHand(
            f"position {position} is {position.status}: only what is OPEN or CLOSING can have been sold by hand"
        )
    order = position.orders.filter(status__in=list(UNFINISHED_ORDER)).first()
    if order is not None:
        raise NotSoldByHand(
            f"order {order} of position {position} is {order.status}: it has to end first. Cancel it at the exchange "
            "if it rests there, and wait until that is booked"
        )
