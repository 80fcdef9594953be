"""What an order's and a position's figures have to be, from the fills. PURE.

Written anew on purpose, not shared with what books: a mistake in one of the two shows as a difference.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from execution.ledger import Holding, apply_fill, write_off
from execution.states import UNFINISHED_ORDER, PositionStatus
from execution.verification.values import BookedFill, BookedOrder, BookedPosition, OrderFigures, PositionFigures
from market.money import ZERO, exact, ratio


def order_figures(fills: Iterable[BookedFill]) -> OrderFigures:
    """The sums over an order's fills."""
    filled = cost = ZERO
    with exact():
        for booked in fills:
            filled += booked.fill.amount
            cost += booked.fill.amount * booked.fill.price
    return OrderFigures(filled, cost)


def position_figures(
    position: BookedPosition, orders: Sequence[BookedOrder], fills: Sequence[BookedFill]
) -> PositionFigures:
    """The figures that follow from the fills, in the order they were booked, and the stored mark.

    Raises ValueError for fills that cannot be true, as an oversell.
    """
    held = _held(position.symbol, fills)
    dust = held.quantity if position.status is PositionStatus.CLOSED else ZERO
    if dust:
        held = write_off(held)
    with exact():
        worth = held.quantity * position.mark if position.mark is not None else held.cost
        reserved = _reserved(orders, fills)
        return PositionFigures(
            quantity=held.quantity,
            cost=held.cost,
            dust=dust,
            realised=held.realised,
            fees=held.fees,
            reserved=reserved,
            exposure=worth + reserved,
            unrealised=worth - held.cost,
            entry_price=_average(orders, fills, entry=True),
            exit_price=_average(orders, fills, entry=False),
        )


def _held(symbol: str, fills: Iterable[BookedFill]) -> Holding:
    base, _, quote = symbol.partition("/")
    held = Holding()
    for booked in fills:
        held = apply_fill(held, booked.side, booked.fill, base, quote, fee_rate_quote=booked.fill.fee_rate)
    return held


def _reserved(orders: Iterable[BookedOrder], fills: Sequence[BookedFill]) -> Decimal:
    """What entries that may still fill would cost."""
    reserved = ZERO
    for order in orders:
        if order.is_entry and order.status in UNFINISHED_ORDER:
            filled = sum((booked.fill.amount for booked in fills if booked.order_id == order.pk), ZERO)
            reserved += (order.amount - filled) * order.unit_cost
    return reserved


def _average(orders: Iterable[BookedOrder], fills: Iterable[BookedFill], *, entry: bool) -> Decimal | None:
    mine = {order.pk for order in orders if order.is_entry is entry}
    sums = order_figures(booked for booked in fills if booked.order_id in mine)
    with exact():
        return ratio(sums.filled_cost, sums.filled) if sums.filled else None
