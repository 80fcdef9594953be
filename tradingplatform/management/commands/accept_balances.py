"""Take the exchange's balances for true."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from market.exchange import ExchangeError
from tradingplatform import wiring
from tradingplatform.corrections import accept_balances, differences, look
from tradingplatform.management.base import OperatorCommand, find_account


class Command(OperatorCommand):
    help = (
        "Take the exchange's balances for true: a difference of the quote currency becomes a deposit or a withdrawal, "
        "of any other asset untracked. Book positions that were sold by hand first (close_by_hand)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("account", help="the account's name")
        parser.add_argument("--reason", required=True, help="where the difference comes from; kept with it")
        parser.add_argument("--dry-run", action="store_true", help="only show what would be changed")

    def act(self, **options: Any) -> None:
        account = find_account(options["account"])
        try:
            seen = look(account, wiring.platform().desk(account))
            if options["dry_run"]:
                found = differences(account, seen.balances)
            else:
                found = accept_balances(account, seen.balances, self.by(options["reason"]), seen.last_trade)
        except (ExchangeError, wiring.WrongAccount) as error:
            raise CommandError(str(error)) from None
        for one in found:
            self.stdout.write(f"{one.asset}: {one}")
        count = f"{len(found)} asset{'' if len(found) == 1 else 's'}"
        if not found:
            self.stdout.write(f"Account {account} agrees with the exchange: there is nothing to accept")
        elif options["dry_run"]:
            self.stdout.write(f"{count} of account {account} would be accepted; nothing was changed")
        else:
            self.stdout.write(f"{count} of account {account} accepted. A halt stays until clear_halt")
