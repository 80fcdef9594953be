"""The only writer of order and position status: compare-and-swap, fills, money and event in one transaction."""

from decimal import Decimal

from execution import announce
from execution.balances import book_flows
from execution.breakers import fire
from execution.consequence import after_entry, after_exit, after_stop
from execution.day_start import keep
from execution.flows import flows
from execution.ledger import Holding, apply_fill, cash_change, write_off
from execution.lock import under_portfolio_lock
from execution.models import BotBook, Order, Portfolio, Position, Purpose, Trade
from execution.states import (
    TERMINAL_ORDER,
    UNFINISHED_ORDER,
    OrderStatus,
    PositionStatus,
    check_order_move,
    check_position_move,
    is_overtaken,
    order_status,
)
from execution.totals import Figures, book_change, figures, holding, value
from market.clock import Now
from market.money import ZERO, exact, ratio
from market.orders import Fill, OrderReport, ReportStatus, Side
from risk.exits import ExitReason


class LostRace(Exception):
    """Somebody else changed the row since it was read. Nothing was written; the next tick sees the new state."""


def record(order: Order, report: OrderReport, now: Now) -> OrderStatus:
    """Book what the exchange says of an order. Saying it again changes nothing, and neither does an answer that was
    overtaken: an account is compared without its bots' leases.

    Raises states.IllegalMove for an answer that cannot follow what is known, ValueError for fills that cannot be true
    (an oversell), LostRace.
    """
    return under_portfolio_lock(order.account_id, lambda portfolio: record_locked(portfolio, order, report, now))


def record_locked(portfolio: Portfolio, order: Order, report: OrderReport, now: Now) -> OrderStatus:
    """The same under the caller's portfolio lock, for what is one transaction with more."""
    return _record(portfolio, order.pk, order_status(report.status), report, now)


def record_unknown(order: Order, reason: str, now: Now) -> None:
    """Book that an order was sent and nobody knows what became of it."""
    silence = OrderReport(order.client_order_id, ReportStatus.NEW, reason=reason)  # its status is not looked at
    under_portfolio_lock(
        order.account_id, lambda portfolio: _record(portfolio, order.pk, OrderStatus.UNKNOWN, silence, now)
    )


def mark_sent(order: Order, now: Now) -> None:
    """Commit, before the network is touched, that the request may leave this machine. Raises LostRace."""
    sent = Order.objects.filter(pk=order.pk, status=OrderStatus.PREPARED).update(
        status=OrderStatus.SENT, sent_at=now.wall_at
    )
    if sent != 1:
        raise LostRace(f"order {order.client_order_id} is no longer PREPARED")


def mark_closing(position: Position, reason: ExitReason, text: str, reference_price: Decimal) -> None:
    """Write down that an OPEN position is to be closed, under the caller's portfolio lock. Raises LostRace."""
    moved = Position.objects.filter(pk=position.pk, status=PositionStatus.OPEN).update(
        status=PositionStatus.CLOSING, exit_reason=reason, exit_text=text[:300], exit_reference=reference_price
    )
    if moved != 1:
        raise LostRace(f"position {position.pk} is {position.status}, not OPEN")


def close_out(portfolio: Portfolio, position: Position, now: Now) -> None:
    """Close a position whose rest is too little to sell: it is written off, under the caller's portfolio lock.

    Raises LostRace.
    """
    before, dust, old = figures(position), position.quantity, PositionStatus(position.status)
    book: BotBook = position.bot.book
    keep(book, position.bot, now)
    check_position_move(old, PositionStatus.CLOSED)
    value(position, write_off(holding(position)), ZERO)
    position.status, position.dust, position.closed_at = PositionStatus.CLOSED, dust, now.market_at
    position.exit_reason = position.exit_reason or ExitReason.STOP
    columns = {**_position_columns(position), "dust": dust}
    if Position.objects.filter(pk=position.pk, status=old).update(**columns) != 1:
        raise LostRace(f"position {position.pk} is no longer {old}")
    book_change(portfolio, book, position, before)
    _count_result(book, position.realised)
    if dust:
        announce.dust_written_off(position, dust, now)
    announce.position_changed(position, old, now)
    fire(portfolio, [book], now)


def _record(portfolio: Portfolio, order_id: int, new: OrderStatus, report: OrderReport, now: Now) -> OrderStatus:
    order = Order.objects.select_related("position__bot__account", "position__bot__book").get(pk=order_id)
    old = OrderStatus(order.status)
    fresh = _fresh_fills(order, report)
    if not fresh and (new is old or is_overtaken(old, new)):
        return old
    check_order_move(old, new)
    before, book = figures(order.position), order.position.bot.book
    keep(book, order.position.bot, now)  # what is booked now belongs to this day
    held = _book_fills(order, fresh)
    _write_order(order, old, new, report, now)
    announce.order_changed(order, old, report, now)
    _write_position(portfolio, order, held, before, fresh, now)
    if fresh:
        fire(portfolio, [book], now)
    return new


def _fresh_fills(order: Order, report: OrderReport) -> list[Fill]:
    """The report's fills that are not booked yet, in the order they happened."""
    if not report.fills:
        return []
    booked = set(Trade.objects.filter(order=order).values_list("trade_id", flat=True))
    return sorted((fill for fill in report.fills if fill.trade_id not in booked), key=lambda fill: fill.executed_at)


def _book_fills(order: Order, fills: list[Fill]) -> Holding:
    """Trades, their effect on the order and on the position's mark (both unsaved), and what is held after them."""
    position, side = order.position, Side(order.side)
    base, _, quote = order.symbol.partition("/")
    held = holding(position)
    for fill in fills:
        held = apply_fill(held, side, fill, base, quote, fee_rate_quote=fill.fee_rate)
        Trade.objects.create(
            account_id=order.account_id,
            order=order,
            position=position,
            symbol=order.symbol,
            side=side,
            trade_id=fill.trade_id,
            price=fill.price,
            amount=fill.amount,
            fee=fill.fee,
            fee_currency=fill.fee_currency,
            fee_rate=fill.fee_rate,
            cash_change=cash_change(side, fill, quote),
            executed_at=fill.executed_at,
        )
        book_flows(order.account_id, flows(side, fill, base, quote))
        with exact():
            order.filled += fill.amount
            order.filled_cost += fill.amount * fill.price
        position.mark_price, position.marked_at = fill.price, fill.executed_at
    return held


def _write_order(order: Order, old: OrderStatus, new: OrderStatus, report: OrderReport, now: Now) -> None:
    order.status = new
    order.exchange_order_id = report.exchange_order_id or order.exchange_order_id
    order.answer = report.reason[:300]
    order.finished_at = now.wall_at if new in TERMINAL_ORDER else None
    written = Order.objects.filter(pk=order.pk, status=old).update(
        status=new,
        exchange_order_id=order.exchange_order_id,
        answer=order.answer,
        filled=order.filled,
        filled_cost=order.filled_cost,
        finished_at=order.finished_at,
    )
    if written != 1:
        raise LostRace(f"order {order.client_order_id} is no longer {old}")


def _write_position(
    portfolio: Portfolio, order: Order, held: Holding, before: Figures, fresh: list[Fill], now: Now
) -> None:
    position = order.position
    old_status = PositionStatus(position.status)
    is_entry = order.purpose == Purpose.ENTRY
    value(position, held, _still_reserved(order) if is_entry else position.reserved)
    status = _position_status(order)
    if status is not old_status:
        check_position_move(old_status, status)
    _set_times_and_prices(order, status, fresh, now)
    position.status = status
    if Position.objects.filter(pk=position.pk, status=old_status).update(**_position_columns(position)) != 1:
        raise LostRace(f"position {position.pk} is no longer {old_status}")
    book: BotBook = position.bot.book
    if fresh and is_entry:
        _value_account(portfolio, position, before)
    book_change(portfolio, book, position, before)
    if status is PositionStatus.CLOSED:
        _count_result(book, position.realised)
    if status is not old_status:
        announce.position_changed(position, old_status, now)


def _value_account(portfolio: Portfolio, position: Position, before: Figures) -> None:
    """Where nothing else is held, an entry's fill is a fresh value of everything that is."""
    if portfolio.cost == before.cost and position.marked_at is not None:
        portfolio.marked_at = max(filter(None, (portfolio.marked_at, position.marked_at)))


def _position_status(order: Order) -> PositionStatus:
    """What the order, as it is now, makes of its position."""
    position, status = order.position, OrderStatus(order.status)
    match order.purpose:
        case Purpose.ENTRY:
            return after_entry(PositionStatus(position.status), status, position.quantity)
        case Purpose.EXIT:
            return after_exit(status, order.filled, position.quantity)
    buying = Order.objects.filter(position=position, purpose=Purpose.ENTRY, status__in=list(UNFINISHED_ORDER))
    return after_stop(PositionStatus(position.status), status, position.quantity, buying.exists)


def _still_reserved(order: Order) -> Decimal:
    if OrderStatus(order.status) not in UNFINISHED_ORDER:
        return ZERO
    with exact():
        return (order.amount - order.filled) * (order.worst_price or order.reference_price)


def _set_times_and_prices(order: Order, status: PositionStatus, fresh: list[Fill], now: Now) -> None:
    position = order.position
    if fresh and order.purpose == Purpose.ENTRY:
        position.entry_price = ratio(order.filled_cost, order.filled)
        position.opened_at = position.opened_at or fresh[0].executed_at
    if fresh and order.purpose != Purpose.ENTRY:
        position.exit_price = _average_exit(order)
    if fresh and order.purpose == Purpose.STOP:
        position.exit_reason = ExitReason.STOP
    if status in (PositionStatus.CLOSED, PositionStatus.FLAT):
        position.closed_at = fresh[-1].executed_at if fresh else now.market_at


def _average_exit(order: Order) -> Decimal:
    """Over all exit orders of the position, this one included: it is written already."""
    with exact():
        rows = list(order.position.orders.exclude(purpose=Purpose.ENTRY).values_list("filled_cost", "filled"))
        return ratio(sum((cost for cost, _ in rows), ZERO), sum((amount for _, amount in rows), ZERO))


_COLUMNS = (
    "status",
    "quantity",
    "cost",
    "realised",
    "fees",
    "reserved",
    "exposure",
    "unrealised",
    "entry_price",
    "exit_price",
    "exit_reason",
    "mark_price",
    "marked_at",
    "opened_at",
    "closed_at",
)


def _position_columns(position: Position) -> dict[str, object]:
    return {name: getattr(position, name) for name in _COLUMNS}


def _count_result(book: BotBook, realised: Decimal) -> None:
    """A position that lost, fees inside, lengthens the streak; any other ends it."""
    if realised < 0:
        book.losses += 1
        book.loss_streak += 1
    else:
        book.wins += 1
        book.loss_streak = 0
    book.save(update_fields=["losses", "wins", "loss_streak"])
