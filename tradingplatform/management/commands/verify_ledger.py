"""Check that every stored figure follows from the fills."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from time import perf_counter
from typing import Any

from django.core.management.base import CommandError

from bots.models import ExchangeAccount
from execution.verify import Verified, verify
from tradingplatform.management.base import OperatorCommand, find_account
from tradingplatform.reading import one_moment
from tradingplatform.verification_table import summary, verification_table

WHAT_TO_DO = (
    "the books disagree with the fills (nothing was changed). Let nothing enter (`python manage.py pause_bot --all`), "
    "keep a copy of the database, and compare the rows named above with the exchange's own list of trades"
)


class Command(OperatorCommand):
    help = (
        "Recompute every stored figure from fills, capital changes and marks, and compare to the last digit. "
        "Also while the platform runs: each account is read as it is at one moment. Exit status 1 on a difference."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--account", help="only this one")
        parser.add_argument("--json", action="store_true", help="for programs")

    def act(self, **options: Any) -> None:
        began = perf_counter()
        name = options["account"]
        accounts = [find_account(name)] if name else list(ExchangeAccount.objects.order_by("pk"))
        results = [_verify(account) for account in accounts]
        took_ms = round((perf_counter() - began) * 1000)
        found = sum(result.found for result in results)
        self.stdout.write(_json(results, took_ms) if options["json"] else _text(results, found, took_ms))
        if found:
            raise CommandError(WHAT_TO_DO)


def _verify(account: ExchangeAccount) -> Verified:
    with one_moment():
        return verify(account)


def _rows(results: list[Verified]) -> list[dict[str, str]]:
    return [{"account": result.account, **asdict(one)} for result in results for one in result.differences]


def _totals(results: list[Verified]) -> dict[str, int]:
    counted = {name: sum(getattr(one, name) for one in results) for name in ("positions", "orders", "fills", "found")}
    return {"accounts": len(results), **counted}


def _json(results: list[Verified], took_ms: int) -> str:
    return json.dumps({**_totals(results), "took_ms": took_ms, "differences": _rows(results)}, indent=2)


def _text(results: list[Verified], found: int, took_ms: int) -> str:
    line = summary(**_totals(results), took_ms=took_ms)
    return f"{verification_table(_rows(results), found)}\n{line}" if found else line
