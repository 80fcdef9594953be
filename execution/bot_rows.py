"""The rows that come with every bot and account, made by whichever entrance made the bot."""

from typing import Any

from bots.models import Bot, ExchangeAccount
from execution.capital import reallocate
from execution.held import IDENTITY, BotInUse, why_fixed
from execution.lock import lock_portfolio
from execution.models import BotBook, Portfolio


def account_saved(sender: object, instance: ExchangeAccount, created: bool, raw: bool, **_: Any) -> None:
    """Receiver of post_save. The capital comes with the first capital change."""
    if created and not raw:
        Portfolio.objects.create(account=instance)


def bot_saved(sender: object, instance: Bot, created: bool, raw: bool, **_: Any) -> None:
    """Receiver of post_save: a book that begins at the bot's capital."""
    if created and not raw:
        BotBook.objects.create(bot=instance, peak_equity=instance.capital, day_start_equity=instance.capital)


def bot_about_to_be_saved(
    sender: object, instance: Bot, raw: bool, update_fields: frozenset[str] | None = None, **_: Any
) -> None:
    """Receiver of pre_save: what a position fixes stays (BotInUse), and new capital is carried into the book.

    Under the portfolio lock, so that no entry comes in between. Raises RuntimeError outside a transaction.
    """
    if raw or instance.pk is None or (update_fields is not None and not {"capital", *IDENTITY} & update_fields):
        return
    stored = Bot.objects.filter(pk=instance.pk).first()
    if stored is None or not _differs(instance, stored):
        return
    lock_portfolio(stored.account_id)
    stored = Bot.objects.get(pk=instance.pk)  # as it is now that nobody else can change it
    problems = why_fixed(instance, stored)
    if problems:
        raise BotInUse("\n".join(problems.values()))
    if instance.capital != stored.capital:
        reallocate(stored, stored.capital, instance.capital)


def _differs(bot: Bot, stored: Bot) -> bool:
    return any(getattr(bot, name) != getattr(stored, name) for name in (*IDENTITY, "capital"))
