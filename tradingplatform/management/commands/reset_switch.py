"""Reset the dead man's switch after it has triggered."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.management.base import OperatorCommand
from tradingplatform.operator import reset_switch


class Command(OperatorCommand):
    help = "Let entries happen again after the dead man's switch has triggered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="why it is safe to go on; kept with the event")

    def act(self, **options: Any) -> None:
        reset_switch(self.by(options["reason"]))
        self.stdout.write("The dead man's switch is armed again; running bots may enter.")
