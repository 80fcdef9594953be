"""The fleet at a glance."""

import json
from argparse import ArgumentParser
from typing import Any

from tradingplatform.management.base import OperatorCommand
from tradingplatform.status import read_status
from tradingplatform.status_table import status_table


class Command(OperatorCommand):
    help = "The fleet at a glance: money, positions, and a line per bot. Also while the platform is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def act(self, **options: Any) -> None:
        status = read_status()
        self.stdout.write(json.dumps(status, indent=2) if options["json"] else status_table(status))
