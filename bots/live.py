"""The switches that must agree before a bot enters with money. Exits wait for no switch: they go to where the position
is."""

from django.conf import settings

from bots.live_exchanges import NOT_YET, why_no_live_orders
from bots.models import Bot


def why_not_live(bot: Bot) -> str:
    """Why the bot may not enter with money; empty when it may, or when its account is on paper.

    The account's mode says where its orders go; LIVE_TRADING and the bot's own switch are both needed to enter there.
    """
    if not bot.account.is_live:
        return ""
    if refusal := why_no_live_orders(bot.account.exchange):
        return refusal
    if not settings.LIVE_TRADING:
        return f"LIVE_TRADING is off and account {bot.account} is LIVE: exits only ({NOT_YET})"
    if not bot.live:
        return f"bot {bot.name} has no leave to trade live: give it with go_live ({NOT_YET})"
    return ""
