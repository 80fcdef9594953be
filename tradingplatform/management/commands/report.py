"""What came of trading: profit, costs, statistics, and lots for the tax."""

import csv
import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from bots.models import ExchangeAccount
from tradingplatform.management.base import OperatorCommand, find_account, now
from tradingplatform.reading import one_moment
from tradingplatform.reports import find
from tradingplatform.reports.period import ALL, Period, last_days, whole_year
from tradingplatform.reports.table import Table, csv_rows, records, terminal, total_record


class Command(OperatorCommand):
    help = "Profit, costs, statistics or FIFO lots of one account, from the database. Also while the platform runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        everything = sorted({by for groups in find.BY.values() for by in groups})
        parser.add_argument(
            "kind", nargs="?", choices=find.KINDS, default="profit", help="profit, unless told otherwise"
        )
        parser.add_argument("--account", metavar="NAME", help="needed where there are several")
        parser.add_argument("--by", choices=everything, help="how profit (or costs) are told apart; else by bot")
        when = parser.add_mutually_exclusive_group()
        when.add_argument("--days", type=int, metavar="N", help="the last N UTC days of market time, today's included")
        when.add_argument("--year", type=int, metavar="Y", help="one calendar year; of the tax report, else this one")
        how = parser.add_mutually_exclusive_group()
        how.add_argument("--json", action="store_true", help="for programs, every digit")
        how.add_argument("--csv", metavar="FILE", help="into this new file, every digit")

    def act(self, **options: Any) -> None:
        account = _account(options["account"])
        with one_moment():
            tables = _tables(account, options)
        if options["json"]:
            self.stdout.write(json.dumps(_described(account, tables), indent=2))
        elif options["csv"]:
            written = _write(Path(options["csv"]), tables[0])
            self.stdout.write(f"wrote {written} lines to {options['csv']}")
        else:
            self.stdout.write("\n\n".join(terminal(table) for table in tables[-2:]))
            if options["kind"] == "tax":
                self.stdout.write(f"\n{find.NO_ADVICE}\nEvery disposal with --csv FILE.")


def _account(name: str | None) -> ExchangeAccount:
    """The one that is meant. Raises CommandError."""
    if name:
        return find_account(name)
    accounts = list(ExchangeAccount.objects.order_by("pk"))
    if len(accounts) != 1:
        names = ", ".join(f"{one.name} ({one.mode.lower()})" for one in accounts)
        raise CommandError(f"give --account: there is {names}" if names else "there is no account yet: load a fleet")
    return accounts[0]


def _tables(account: ExchangeAccount, options: dict[str, Any]) -> Sequence[Table]:
    """The first is what a file holds. Raises ValueError, CommandError."""
    kind, by = options["kind"], options["by"]
    if by and kind not in find.BY:
        raise CommandError(f"--by is for {' and '.join(find.BY)}: the {kind} report is not told apart")
    if kind == "tax":
        if options["days"] is not None:
            raise CommandError("the tax report is of a calendar year: give --year, not --days")
        year = now().market_at.year if options["year"] is None else options["year"]
        found = find.tax(account, year)
        return [found.disposals, found.sums, found.carried]
    period = _period(options)
    if kind == "statistics":
        return [find.figures(account, period)]
    return [(find.profit if kind == "profit" else find.costs)(account, by or "bot", period)]


def _period(options: dict[str, Any]) -> Period:
    if options["days"] is not None:
        return last_days(options["days"], now().market_at.date())
    return ALL if options["year"] is None else whole_year(options["year"])


def _described(account: ExchangeAccount, tables: Sequence[Table]) -> dict[str, Any]:
    return {
        "account": account.name,
        "mode": account.mode,
        "quote": account.quote,
        "reports": [
            {"title": table.title, "rows": records(table), "total": total_record(table), "notes": list(table.notes)}
            for table in tables
        ],
    }


def _write(path: Path, table: Table) -> int:
    """Lines below the head. Raises CommandError: a file that is there is left as it is."""
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(csv_rows(table))
    except FileExistsError:
        raise CommandError(f"{path} is there already: name a new file") from None
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from None
    return len(table.lines)
