"""The kill switch: halt everything, an account, or a bot."""

from argparse import ArgumentParser
from typing import Any

from risk.models import Halt
from tradingplatform.acting import By
from tradingplatform.kill_switch import halt_account, halt_bot, halt_everything
from tradingplatform.management.base import OperatorCommand, add_scope, find_account, find_bot


class Command(OperatorCommand):
    help = (
        "The kill switch: from this moment nothing is entered, by anybody, until `resume_trading` of the same scope. "
        "Exits and stops go on; with --close what is held is sold as well, one position after another."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_scope(parser)
        parser.add_argument("--close", action="store_true", help="also sell what is held, the largest position first")
        parser.add_argument("--reason", required=True, help="kept with the halt")

    def act(self, **options: Any) -> None:
        halt = _halt(options, self.by(options["reason"]))
        sells = " What is held is sold, one position after another." if halt.closes else " What is held stays."
        self.stdout.write(f"HALTED: {halt.scope} enters nothing any more.{sells}")


def _halt(options: dict[str, Any], by: By) -> Halt:
    if options["all"]:
        return halt_everything(by, options["close"])
    if options["account"]:
        return halt_account(find_account(options["account"]), by, options["close"])
    return halt_bot(find_bot(options["name"]), by, options["close"])
