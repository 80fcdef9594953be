"""Thin out the past by hand, or see what would go."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import CommandError
from django.db import connection

from market.clock import Now, load_clock
from tradingplatform.management.base import OperatorCommand, now
from tradingplatform.retention import RULES, before
from tradingplatform.running import State, platform_state
from tradingplatform.thinning import thin, vacuum


class Command(OperatorCommand):
    help = "Remove what is older than RETENTION_DAYS and not needed for money or audit. Also while the platform runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only print what would go")
        parser.add_argument("--vacuum", action="store_true", help="then give the space back to the disk; stop it first")

    def act(self, **options: Any) -> None:
        moment, days = now(), settings.RETENTION_DAYS
        if options["vacuum"]:
            _require_vacuum(dry_run=options["dry_run"])
        removed = thin(moment, days, dry_run=options["dry_run"])
        self.stdout.write(table(removed, moment, days, dry_run=options["dry_run"]))
        if options["vacuum"]:
            vacuum()
            self.stdout.write("vacuumed: the freed space went back to the disk")
        elif connection.vendor == "sqlite" and any(removed.values()) and not options["dry_run"]:
            self.stdout.write(
                "SQLite uses the freed space again; to shrink the file: thin --vacuum, when it is stopped"
            )


def _require_vacuum(*, dry_run: bool) -> None:
    """Raises CommandError."""
    if dry_run:
        raise CommandError("--dry-run changes nothing: leave out --vacuum")
    if connection.vendor != "sqlite":
        raise CommandError("--vacuum is for SQLite: PostgreSQL's autovacuum does it by itself")
    if platform_state(settings.VAR, load_clock(settings.CLOCK_FILE))["platform"] == State.RUNNING:
        raise CommandError("--vacuum locks the whole database, and the platform is running: stop it first")


def table(removed: dict[str, int], moment: Now, days: int, *, dry_run: bool) -> str:
    """A line per kind."""
    verb = "would go" if dry_run else "removed"
    lines = [f"everything of the last {days} days is kept (RETENTION_DAYS)"]
    for rule in RULES:
        until = f"{before(rule, moment, days):%Y-%m-%d %H:%M} UTC {rule.clock} time"
        lines.append(
            f"{rule.kind:<10}  {removed[rule.kind]:>8} {verb}: {rule.what}, older than {until}; left: {rule.left}"
        )
    return "\n".join(lines)
