"""Reset the dead man's switch after it has triggered."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.dead_man import RESET_CONFIRMATION, reset_switch
from tradingplatform.management.base import OperatorCommand, confirm


class Command(OperatorCommand):
    help = "Arm the dead man's switch again after it has triggered. Running bots are paused: resume them afterwards."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", required=True, help="why it is safe to go on; kept with the event")
        parser.add_argument("--confirm", default="", metavar=RESET_CONFIRMATION, help="typed, so that nothing else is")

    def act(self, **options: Any) -> None:
        confirm(RESET_CONFIRMATION, options["confirm"], "reset the dead man's switch")
        paused = reset_switch(self.by(options["reason"]))
        which = "1 bot is" if paused == 1 else f"{paused} bots are"
        self.stdout.write(f"The dead man's switch is armed again; {which} paused now, resume them with resume_bot.")
