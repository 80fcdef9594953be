"""``manage.py event_kinds``: every kind of event there is."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from tradingplatform.kinds_table import as_json, listing, markdown


class Command(BaseCommand):
    help = "List the kinds of events: what each tells, its payload, and how loud Telegram usually is about it"
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        shape = parser.add_mutually_exclusive_group()
        shape.add_argument("--json", action="store_true", help="for programs")
        shape.add_argument("--markdown", action="store_true", help="the table of docs/events.md")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps(as_json(), indent=1))
        else:
            self.stdout.write(markdown() if options["markdown"] else listing())
