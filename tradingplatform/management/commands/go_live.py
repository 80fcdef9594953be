"""Let bots enter with money."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from bots.live_exchanges import NOT_YET
from tradingplatform.live_accounts import go_live
from tradingplatform.management.base import (
    OperatorCommand,
    add_bots_or_all,
    confirm,
    find_account,
    find_bots,
)


class Command(OperatorCommand):
    help = f"Move bots that hold nothing to a LIVE account, and let them enter there: all or none. Note: {NOT_YET}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bots_or_all(parser)
        parser.add_argument("--account", required=True, metavar="NAME", help="the LIVE account")
        parser.add_argument("--confirm", default="", metavar="NAME", help="its name again: this is about money")
        parser.add_argument("--reason", default="", help="kept with the events")

    def act(self, **options: Any) -> None:
        confirm(options["account"], options["confirm"], f"let bots trade live on {options['account']}")
        account = find_account(options["account"])
        count = go_live(find_bots(options["names"], options["all"]), account, self.by(options["reason"]))
        self.stdout.write(f"{count} {'bot' if count == 1 else 'bots'} may enter with money on account {account}")
        if not settings.LIVE_TRADING:
            self.stdout.write("None does so yet: LIVE_TRADING is off.")
