"""Clear the halt of a whole account."""

from argparse import ArgumentParser
from typing import Any

from bots.models import ExchangeAccount
from tradingplatform.management.base import OperatorCommand
from tradingplatform.operator import clear_account_halts


class Command(OperatorCommand):
    help = "Clear what halts a whole account (a bot's own halt is cleared by reset_bot)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="the account's name")
        parser.add_argument("--reason", required=True, help="why the halt may be cleared; kept with it")

    def act(self, **options: Any) -> None:
        account = ExchangeAccount.objects.filter(name=options["account"]).first()
        if account is None:
            names = ", ".join(ExchangeAccount.objects.values_list("name", flat=True)) or "none at all"
            raise ValueError(f"there is no account {options['account']!r}: there is {names}")
        cleared = clear_account_halts(account, self.by(options["reason"]))
        if not cleared:
            raise ValueError(
                f"account {account} is not halted: there is nothing to clear (a bot's own halt: `reset_bot NAME`)"
            )
        self.stdout.write(f"{cleared} halt{'' if cleared == 1 else 's'} of account {account} cleared")
