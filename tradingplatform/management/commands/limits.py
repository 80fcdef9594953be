"""The limits that hold, and the changes of them that wait."""

from argparse import ArgumentParser
from typing import Any

from bots.models import Bot, ExchangeAccount
from tradingplatform.limit_acts import LimitNow, limits_now
from tradingplatform.management.base import OperatorCommand, add_bot_or_account, bot_or_account, now


class Command(OperatorCommand):
    help = "Show the limits of a bot or of an account, or of all, and the changes that wait for their time."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bot_or_account(parser, required=False)

    def act(self, **options: Any) -> None:
        for whose in _named(options):
            self.stdout.write(f"{'bot' if isinstance(whose, Bot) else 'account'} {whose.name}")
            for line in _lines(whose):
                self.stdout.write(f"  {line}")


def _named(options: dict[str, Any]) -> list[Bot | ExchangeAccount]:
    if options["name"]:
        return [bot_or_account(options)]
    accounts = list(ExchangeAccount.objects.order_by("pk"))
    return [*accounts] if options["account"] else [*accounts, *Bot.objects.all()]


def _lines(whose: Bot | ExchangeAccount) -> list[str]:
    try:
        return [_line(limit) for limit in limits_now(whose, now())]
    except ValueError as error:  # of one of many: the others are shown all the same
        return [str(error)]


def _line(limit: LimitNow) -> str:
    line = f"{limit.name:<22} {limit.value}"
    if limit.waits is None:
        return line
    asked = f"asked by {limit.waits.actor}: {limit.waits.reason}"
    return f"{line}, {limit.waits.after} from {limit.waits.effective_at:%Y-%m-%d %H:%M} UTC of market time ({asked})"
