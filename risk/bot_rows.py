"""The limits that come with every bot and account, made by whichever entrance made it. Without them nothing enters."""

from typing import Any

from bots.models import Bot, ExchangeAccount
from risk.models import BotRiskLimits, PortfolioRiskLimits


def account_saved(sender: object, instance: ExchangeAccount, created: bool, raw: bool, **_: Any) -> None:
    """Receiver of post_save."""
    if created and not raw:
        PortfolioRiskLimits.objects.create(account=instance)


def bot_saved(sender: object, instance: Bot, created: bool, raw: bool, **_: Any) -> None:
    """Receiver of post_save."""
    if created and not raw:
        BotRiskLimits.objects.create(bot=instance)
