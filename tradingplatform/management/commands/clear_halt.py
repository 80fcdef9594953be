"""Clear the halt of a whole account."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.kill_switch import clear_account_halts
from tradingplatform.management.base import OperatorCommand, find_account


class Command(OperatorCommand):
    help = (
        "Clear all that halts a whole account, also what a check has halted: after looking into it. What a person "
        "halted with `halt` is ended by resume_trading, a bot's own halt by reset_bot."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="the account's name")
        parser.add_argument("--reason", required=True, help="why the halt may be cleared; kept with it")

    def act(self, **options: Any) -> None:
        account = find_account(options["account"])
        cleared = clear_account_halts(account, self.by(options["reason"]))
        if not cleared:
            raise ValueError(
                f"account {account} is not halted: there is nothing to clear (a bot's own halt: `reset_bot NAME`; "
                "a halt of everything: `resume_trading --all`)"
            )
        self.stdout.write(f"{cleared} halt{'' if cleared == 1 else 's'} of account {account} cleared")
