"""Make the fleet as the file says."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings

from tradingplatform.fleet.load import load_fleet, plan_fleet
from tradingplatform.fleet.plan import Plan
from tradingplatform.fleet.read import read_fleet
from tradingplatform.fleet.show import plan_text
from tradingplatform.fleet.source import read_source
from tradingplatform.instruments import instruments
from tradingplatform.management.base import OperatorCommand, actor, confirm, now


class Command(OperatorCommand):
    help = "Read a fleet file and make the bots as it says: all of it, or nothing when anything in it is wrong."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, default=settings.ENV.FLEET, help="default: FLEET, fleet.toml")
        parser.add_argument("--dry-run", action="store_true", help="show what would change, and change nothing")
        parser.add_argument(
            "--confirm", default="", metavar="ACCOUNT", help="the account's name, where capital is raised"
        )

    def act(self, **options: Any) -> None:
        fleet = read_fleet(read_source(options["file"]), options["file"].name, instruments())
        plan = plan_fleet(fleet)
        if not options["dry_run"]:
            _require_confirmed(plan, options["confirm"])
            plan = load_fleet(fleet, now(), actor())
        done = "Would do:" if options["dry_run"] else "Done:"
        self.stdout.write("Nothing to change." if plan.is_empty else done)
        self.stdout.write(plan_text(plan))


def _require_confirmed(plan: Plan, typed: str) -> None:
    """Raises CommandError."""
    if plan.raised:
        first, others = plan.raised[0], len(plan.raised) - 1
        whose = first + (f" and {others} more" if others else "")
        confirm(
            plan.fleet.account.name, typed, f"raise the capital of {whose}, which loosens limits that are parts of it"
        )
