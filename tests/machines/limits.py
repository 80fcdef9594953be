"""What the limits allow, recomputed from fills, marks, capital and orders alone: no running total is looked at."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bots.models import Bot, ExchangeAccount
from execution.models import CapitalChange, Order, Position, Purpose, Trade
from execution.states import LIVE_POSITION, UNFINISHED_ORDER, OrderStatus, PositionStatus
from market.money import ZERO, exact

SLACK = Decimal("1e-9")
"""Peaks that were scaled when capital went in are rounded to 12 decimals."""


@dataclass
class Peaks:
    """What money alone does not tell: where a bot's day began, and the highest that it and the account have been."""

    account: Decimal
    bots: dict[int, Decimal]
    day_starts: dict[int, Decimal]


def account_equity(account: ExchangeAccount) -> Decimal:
    """Capital, what fills did to it, and what is held at its marks."""
    with exact():
        capital = sum(CapitalChange.objects.filter(account=account).values_list("amount", flat=True), ZERO)
        cash = sum(Trade.objects.filter(account=account).values_list("cash_change", flat=True), ZERO)
        return capital + cash + _worths(Position.objects.filter(account=account))


def bot_equity(bot: Bot) -> Decimal:
    """The same of one bot, by its allocation."""
    with exact():
        cash = sum(Trade.objects.filter(position__bot=bot).values_list("cash_change", flat=True), ZERO)
        return bot.capital + cash + _worths(Position.objects.filter(bot=bot))


def broken_by(bot: Bot, order: Order, normal: Decimal, peaks: Peaks) -> list[str]:
    """Which of the limits an entry that was approved just now has broken. ``order``: its row, however it has ended;
    ``normal``: the amount that its bot would buy without losses."""
    account, limits, of_account = bot.account, bot.limits, bot.account.limits
    equity, own = account_equity(account), bot_equity(bot)
    added = order.amount * (order.worst_price or ZERO)
    others = [p for p in Position.objects.filter(account=account, status__in=list(LIVE_POSITION)) if p.bot_id != bot.pk]
    held = sum((_exposure(position) for position in others), ZERO)
    in_asset = sum((_exposure(p) for p in others if p.symbol == order.symbol), ZERO)
    told = {
        "total exposure": held + added <= of_account.max_exposure * equity + SLACK + _since(order),
        "one asset": in_asset + added <= of_account.max_asset * equity + SLACK + _since(order),
        "one order": added <= of_account.max_order * equity + SLACK + _since(order),
        "the bot's position": added <= limits.max_position * bot.capital,
        "the bot's drawdown": peaks.bots[bot.pk] - own < limits.max_drawdown * peaks.bots[bot.pk] + _since(order),
        "the bot's day": peaks.day_starts[bot.pk] - own < limits.max_daily_loss * bot.capital + _since(order),
        "the account's drawdown": peaks.account - equity < of_account.max_drawdown * peaks.account + _since(order),
        "cash": _cash(account) >= 0,
        "the losing streak": order.amount <= _factor(bot, order) * normal,
    }
    return [name for name, holds in told.items() if not holds]


def _since(order: Order) -> Decimal:
    """What this entry itself may have done to equity since it was approved: its fee, and the price it was filled at."""
    with exact():
        return sum((abs(t.cash_change) - t.amount * t.price for t in order.trades.all()), ZERO) + SLACK


def _factor(bot: Bot, order: Order) -> Decimal:
    """1, then halved with every loss in a row beyond the second; never below the floor."""
    closed = Position.objects.filter(bot=bot, status=PositionStatus.CLOSED).exclude(pk=order.position_id)
    losses = 0
    for realised in closed.order_by("-closed_at", "-pk").values_list("realised", flat=True):
        if realised >= 0:
            break
        losses += 1
    beyond = max(0, losses - bot.limits.streak_losses + 1)
    return max(Decimal(1) / 2**beyond, bot.limits.streak_floor)


def _exposure(position: Position) -> Decimal:
    """What is held at its mark, and what its entry may still buy at the most that it may pay."""
    with exact():
        return _worth(position) + sum((_rest(order) for order in position.orders.filter(purpose=Purpose.ENTRY)), ZERO)


def _rest(order: Order) -> Decimal:
    if OrderStatus(order.status) not in UNFINISHED_ORDER:
        return ZERO
    return (order.amount - order.filled) * (order.worst_price or ZERO)


def _cash(account: ExchangeAccount) -> Decimal:
    with exact():
        capital = sum(CapitalChange.objects.filter(account=account).values_list("amount", flat=True), ZERO)
        moved = sum(Trade.objects.filter(account=account).values_list("cash_change", flat=True), ZERO)
        entries = Order.objects.filter(account=account, purpose=Purpose.ENTRY)
        return capital + moved - sum((_rest(order) for order in entries), ZERO)


def _worths(positions: Iterable[Position]) -> Decimal:
    with exact():
        return sum((_worth(position) for position in positions), ZERO)


def _worth(position: Position) -> Decimal:
    """By its fills; at its last mark, and at their price before there is one."""
    with exact():
        bought = ZERO
        for trade in position.trades.all():
            bought += trade.amount if trade.side == "BUY" else -trade.amount
        return bought * (position.mark_price or position.entry_price or ZERO)
