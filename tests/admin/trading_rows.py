"""Rows of trading with every figure given, for tests of the lists."""

from decimal import Decimal
from itertools import count

from execution.models import Order, Position, Purpose, Trade
from execution.states import OrderStatus, PositionStatus
from market.orders import OrderType, Side
from risk.models import Decision, Outcome
from tests.factories import now_at

NOW = now_at()
_numbers = count(1)


def a_decision(bot, **changes):
    values = {
        "bot": bot,
        "slot": next(_numbers),
        "outcome": Outcome.APPROVED,
        "reason": "crossed",
        "bot_status": bot.status,
        "market_at": NOW.market_at,
        "wall_at": NOW.wall_at,
    }
    return Decision.objects.create(**{**values, **changes})


def a_closed_position(bot, realised="0", **changes):
    values = {
        "account": bot.account,
        "bot": bot,
        "symbol": bot.symbol,
        "status": PositionStatus.CLOSED,
        "entry_slot": 1,
        "realised": Decimal(realised),
        "stop_price": Decimal(90),
        "created_at": NOW.market_at,
        "opened_at": NOW.market_at,
        "closed_at": NOW.market_at,
    }
    return Position.objects.create(**{**values, **changes})


def an_order(position, **changes):
    """Its entry, filled, with the decision that allowed it."""
    bot = position.bot
    values = {
        "account": position.account,
        "bot": bot,
        "position": position,
        "client_order_id": f"order-{next(_numbers)}",
        "purpose": Purpose.ENTRY,
        "symbol": position.symbol,
        "side": Side.BUY,
        "type": OrderType.MARKET,
        "amount": Decimal("0.5"),
        "reference_price": Decimal(200),
        "status": OrderStatus.FILLED,
        "filled": Decimal("0.5"),
        "filled_cost": Decimal(100),
        "market_at": NOW.market_at,
        "prepared_at": NOW.wall_at,
    }
    if "decision" not in changes:
        values["decision"] = a_decision(bot)
    return Order.objects.create(**{**values, **changes})


def a_trade(order, **changes):
    values = {
        "account": order.account,
        "order": order,
        "position": order.position,
        "symbol": order.symbol,
        "side": order.side,
        "trade_id": f"{next(_numbers)}",
        "price": Decimal(200),
        "amount": Decimal("0.5"),
        "fee": Decimal("0.1"),
        "fee_currency": "USDT",
        "cash_change": Decimal("-100.1"),
        "executed_at": NOW.market_at,
    }
    return Trade.objects.create(**{**values, **changes})
