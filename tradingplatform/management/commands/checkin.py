"""Say that a human is here, having seen what is at stake."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from tradingplatform.alarm_texts import span
from tradingplatform.dead_man import Challenge, challenge, check_in
from tradingplatform.management.base import OperatorCommand
from tradingplatform.typed import manage


class Command(OperatorCommand):
    help = "A human is here: shows what is at stake, asks for the code beside it, and begins the switch's time anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--code", default="", help="the code that this command showed; without it, it is asked for")

    def act(self, **options: Any) -> None:
        by = self.by()
        code = options["code"]
        if not code:
            seen = challenge(by)
            self._show(seen)
            code = self._asked(seen)
            by = self.by()  # it was typed a while later
        switch = check_in(by, code)
        due = challenge(by).triggers_at
        self.stdout.write(
            f"Checked in by {switch.last_checkin_by}. Entries stop unless somebody checks in again before "
            f"{due:%Y-%m-%d %H:%M} UTC."
        )

    def _show(self, seen: Challenge) -> None:
        self.stdout.write(f"dead man's switch: {seen.stage}, {span(seen.seconds_left)} left")
        if seen.clock_problem:
            self.stdout.write(self.style.WARNING(f"clock: {seen.clock_problem}"))
        for line in seen.exposure.lines():
            self.stdout.write(f"  {line}")

    def _asked(self, seen: Challenge) -> str:
        if seen.switch.latched_at is not None:
            return ""  # refused below, with what to do instead
        if not sys.stdin.isatty():
            raise ValueError(f"not checked in yet: if this is as it should be, type {_second_step(seen.code)}")
        return input(f"If this is as it should be, type {seen.code}: ")


def _second_step(code: str) -> str:
    return manage(f"checkin --code {code}", settings.VAR)
