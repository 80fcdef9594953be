"""What a bot's live position or unfinished order forbids to change about the bot."""

from bots.models import Bot
from execution.models import Order, Position
from execution.states import LIVE_POSITION, UNFINISHED_ORDER

IDENTITY = ("account_id", "symbol", "timeframe", "strategy")
"""What a position was entered by and is managed by: fixed while there is one."""


class BotInUse(Exception):
    """The bot holds or may soon hold something, and this would leave it unmanaged."""


def in_use(bot_id: int) -> str | None:
    """What the bot still has to see to, in words; None when it is free."""
    position = Position.objects.filter(bot_id=bot_id, status__in=list(LIVE_POSITION)).first()
    if position is not None:
        return f"a live position in {position.symbol} ({position.status})"
    order = Order.objects.filter(bot_id=bot_id, status__in=list(UNFINISHED_ORDER)).first()
    return f"an unfinished order in {order.symbol} ({order.status})" if order else None


def bots_in_use() -> set[int]:
    """The ids of all bots that hold something or have an unfinished order."""
    holding = Position.objects.filter(status__in=list(LIVE_POSITION)).values_list("bot_id", flat=True)
    ordering = Order.objects.filter(status__in=list(UNFINISHED_ORDER)).values_list("bot_id", flat=True)
    return {*holding, *ordering}


def why_fixed(bot: Bot, stored: Bot) -> dict[str, str]:
    """Why ``bot`` may not be saved over ``stored``, by field; empty when it may."""
    changed = [name for name in IDENTITY if getattr(bot, name) != getattr(stored, name)]
    held = in_use(stored.pk) if changed else None
    if held is None:
        return {}
    return {
        name.removesuffix("_id"): f"bot {stored.name} has {held}: pause it, and change this once it is closed"
        for name in changed
    }
