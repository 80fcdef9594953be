"""Take bots off a live account."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.live_accounts import go_paper
from tradingplatform.management.base import OperatorCommand, add_bots_or_all, find_account, find_bots


class Command(OperatorCommand):
    help = "Move bots that hold nothing to a PAPER account: all or none."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bots_or_all(parser)
        parser.add_argument("--account", required=True, metavar="NAME", help="the PAPER account")
        parser.add_argument("--reason", default="", help="kept with the events")

    def act(self, **options: Any) -> None:
        account = find_account(options["account"])
        count = go_paper(find_bots(options["names"], options["all"]), account, self.by(options["reason"]))
        self.stdout.write(f"{count} {'bot' if count == 1 else 'bots'} on paper on account {account}")
