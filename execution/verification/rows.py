"""One position with its orders and fills: every difference between what is stored and what follows. PURE."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from execution.ledger import cash_change
from execution.verification.compare import Difference, compare, text
from execution.verification.recompute import order_figures, position_figures
from execution.verification.statuses import check_statuses
from execution.verification.values import BookedFill, BookedOrder, BookedPosition, PositionFigures


@dataclass(frozen=True, slots=True)
class Whole:
    """A position and everything that belongs to it; fills in the order they were booked."""

    position: BookedPosition
    orders: Sequence[BookedOrder] = ()
    fills: Sequence[BookedFill] = ()


def recomputed(whole: Whole) -> PositionFigures:
    """The position's figures from its fills; those stored where the fills cannot be true, so that one fault is told
    once and not in every total. Such fills are told by ``check_rows``."""
    try:
        return position_figures(whole.position, whole.orders, whole.fills)
    except (ValueError, ArithmeticError):
        return whole.position.figures


def check_rows(whole: Whole) -> Iterator[Difference]:
    """Everything that is wrong with these rows by themselves."""
    position, orders = whole.position, {order.pk: order for order in whole.orders}
    for booked in whole.fills:
        yield from _check_fill(booked, orders.get(booked.order_id))
    for order in whole.orders:
        yield from _check_order(order, position, whole.fills)
    try:
        figures = position_figures(position, whole.orders, whole.fills)
    except (ValueError, ArithmeticError) as error:
        yield Difference("position.fills", position.name, "booked", f"cannot be true: {error}")
    else:
        yield from compare("position", position.name, position.figures, figures)
    yield from check_statuses(position, whole.orders)


def _check_fill(booked: BookedFill, order: BookedOrder | None) -> Iterator[Difference]:
    row = f"{booked.symbol} {booked.fill.trade_id}"
    if order is None:
        yield Difference("trade.order", row, f"order #{booked.order_id}", "an order of the same position")
        return
    for column in ("account_id", "symbol", "side"):
        stored, follows = getattr(booked, column), getattr(order, column)
        if stored != follows:
            yield Difference(f"trade.{column}", row, str(stored), f"{follows}, as its order {order.name}")
    cash = cash_change(booked.side, booked.fill, booked.symbol.partition("/")[2])
    if booked.cash_change != cash:
        yield Difference("trade.cash_change", row, text(booked.cash_change), text(cash))


def _check_order(order: BookedOrder, position: BookedPosition, fills: Iterable[BookedFill]) -> Iterator[Difference]:
    for column in ("account_id", "bot_id", "symbol"):
        stored, follows = getattr(order, column), getattr(position, column)
        if stored != follows:
            yield Difference(f"order.{column}", order.name, str(stored), f"{follows}, as its position {position.name}")
    mine = order_figures(booked for booked in fills if booked.order_id == order.pk)
    yield from compare("order", order.name, order.figures, mine)
