"""Intents: the rows that are committed before anything is sent. submit.py alone writes them, under the lock."""

from decimal import Decimal

from bots.models import Bot
from execution import announce
from execution.models import Order, Portfolio, Position, Purpose
from execution.states import OrderStatus, PositionStatus
from execution.totals import book_change, figures, holding, value
from market.clock import Now, ms_of
from market.instruments import Instrument
from market.orders import OrderRequest, OrderType, Side
from risk.exits import stop_limit
from risk.models import Decision
from risk.verdicts import Proposal


def request_of(order: Order) -> OrderRequest:
    """The row as the request that an executor takes."""
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=Side(order.side),
        type=OrderType(order.type),
        amount=order.amount,
        price=order.price,
        stop_price=order.stop_price,
        worst_price=order.worst_price,
    )


def sent_of(order: Order) -> Now:
    """When the order was sent (its intent, where that is not known), on both clocks."""
    wall_at = order.sent_at or order.prepared_at
    return Now(ms_of(wall_at), ms_of(order.market_at))


def client_order_id(bot: Bot, slot: int, purpose: Purpose, attempt: int = 0) -> str:
    """Our name for an order, at most 32 of [A-Za-z0-9_-]: installation, bot, slot of the entry, purpose, attempt."""
    kind = {Purpose.ENTRY: "e", Purpose.EXIT: "x", Purpose.STOP: "s"}[purpose]
    return f"{bot.account.order_prefix}-{bot.pk}-{slot}-{kind}{attempt or ''}"


def write_entry(
    portfolio: Portfolio, bot: Bot, proposal: Proposal, decision: Decision, ask: Decimal, now: Now
) -> Order:
    """Position and order in one go, the notional reserved: from here on it counts as exposure."""
    if proposal.stop_price is None:
        raise AssertionError("the review approves nothing without a stop")
    position = Position(
        account_id=bot.account_id,
        bot=bot,
        symbol=proposal.symbol,
        status=PositionStatus.OPENING,
        entry_slot=proposal.slot,
        stop_price=proposal.stop_price,
        target_price=proposal.target_price,
        created_at=now.market_at,
    )
    before = figures(position)
    value(position, holding(position), proposal.notional)
    position.save()
    book_change(portfolio, bot.book, position, before)
    return _write(
        position,
        Purpose.ENTRY,
        client_order_id(bot, proposal.slot, Purpose.ENTRY),
        now,
        decision=decision,
        type=OrderType.MARKET,
        amount=proposal.amount,
        worst_price=proposal.reference_price,
        reference_price=ask,
        reason=proposal.reason[:300],
    )


def write_exit(position: Position, amount: Decimal, decision: Decision | None, now: Now) -> Order:
    """The next attempt to sell what a CLOSING position holds."""
    position.exit_attempts += 1
    position.save(update_fields=["exit_attempts"])
    return _write(
        position,
        Purpose.EXIT,
        client_order_id(position.bot, position.entry_slot, Purpose.EXIT, position.exit_attempts),
        now,
        decision=decision,
        type=OrderType.MARKET,
        amount=amount,
        reference_price=position.exit_reference or position.mark_price or position.stop_price,
        reason=position.exit_text,
    )


def stop_prices(position: Position, instrument: Instrument) -> tuple[Decimal, Decimal]:
    """The stop price and the limit of a position's protective stop, on the tick."""
    stop_price = instrument.round_price_down(position.stop_price)
    return stop_price, max(instrument.round_price_down(stop_limit(stop_price)), instrument.tick_size)


def write_stop(position: Position, amount: Decimal, instrument: Instrument, now: Now) -> Order:
    """The protective stop of an OPEN position."""
    position.stop_attempts += 1
    position.save(update_fields=["stop_attempts"])
    stop_price, limit = stop_prices(position, instrument)
    return _write(
        position,
        Purpose.STOP,
        client_order_id(position.bot, position.entry_slot, Purpose.STOP, position.stop_attempts),
        now,
        type=OrderType.STOP_LOSS_LIMIT,
        amount=amount,
        price=limit,
        stop_price=stop_price,
        reference_price=stop_price,
        reason="protective stop",
    )


def _write(position: Position, purpose: Purpose, name: str, now: Now, **columns: object) -> Order:
    order = Order.objects.create(
        account_id=position.account_id,
        bot=position.bot,
        position=position,
        client_order_id=name,
        purpose=purpose,
        symbol=position.symbol,
        side=Side.BUY if purpose is Purpose.ENTRY else Side.SELL,
        status=OrderStatus.PREPARED,
        market_at=now.market_at,
        prepared_at=now.wall_at,
        **columns,
    )
    announce.order_placed(order, now)
    return order
