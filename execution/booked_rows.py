"""Database rows of the books -> values to verify, a bounded number at a time."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from django.db.models import Q

from execution.models import Order, Position, Purpose, Trade
from execution.states import OrderStatus, PositionStatus
from execution.verification.rows import Whole
from execution.verification.values import BookedFill, BookedOrder, BookedPosition, OrderFigures, PositionFigures
from market.orders import Fill, Side

CHUNK = 500
"""Positions read at once, with all their orders and fills."""


def positions_of(account_id: int) -> Iterator[Whole]:
    """The account's positions, and those that its bots held on other accounts, in the order they were made."""
    last = 0
    mine = Position.objects.filter(Q(account_id=account_id) | Q(bot__account_id=account_id)).select_related("bot")
    while rows := list(mine.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        last = rows[-1].pk
        yield from _whole(rows)


def _whole(rows: Sequence[Position]) -> Iterator[Whole]:
    ids = [row.pk for row in rows]
    orders, fills = defaultdict(list), defaultdict(list)
    for order in Order.objects.filter(position_id__in=ids).order_by("pk"):
        orders[order.position_id].append(_order(order))
    for trade in Trade.objects.filter(position_id__in=ids).order_by("pk"):  # as they were booked
        fills[trade.position_id].append(_fill(trade))
    for row in rows:
        yield Whole(_position(row), orders[row.pk], fills[row.pk])


def _fill(row: Trade) -> BookedFill:
    fill = Fill(row.trade_id, row.price, row.amount, row.fee, row.fee_currency, row.executed_at, row.fee_rate)
    return BookedFill(
        order_id=row.order_id,
        account_id=row.account_id,
        symbol=row.symbol,
        side=Side(row.side),
        fill=fill,
        cash_change=row.cash_change,
    )


def _order(row: Order) -> BookedOrder:
    return BookedOrder(
        pk=row.pk,
        name=row.client_order_id,
        account_id=row.account_id,
        bot_id=row.bot_id,
        symbol=row.symbol,
        side=Side(row.side),
        is_entry=row.purpose == Purpose.ENTRY,
        is_stop=row.purpose == Purpose.STOP,
        status=OrderStatus(row.status),
        amount=row.amount,
        unit_cost=row.worst_price or row.reference_price,
        was_sent=row.sent_at is not None,
        has_ended=row.finished_at is not None,
        figures=OrderFigures(row.filled, row.filled_cost),
    )


def _position(row: Position) -> BookedPosition:
    return BookedPosition(
        pk=row.pk,
        name=f"#{row.pk} {row.symbol} of {row.bot.name}",
        account_id=row.account_id,
        bot_id=row.bot_id,
        symbol=row.symbol,
        status=PositionStatus(row.status),
        mark=row.mark_price,
        was_opened=row.opened_at is not None,
        has_ended=row.closed_at is not None,
        figures=PositionFigures(
            quantity=row.quantity,
            cost=row.cost,
            dust=row.dust,
            realised=row.realised,
            fees=row.fees,
            reserved=row.reserved,
            exposure=row.exposure,
            unrealised=row.unrealised,
            entry_price=row.entry_price,
            exit_price=row.exit_price,
        ),
    )
