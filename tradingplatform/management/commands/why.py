"""Why a bot did, or did not, trade in one slot."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from bots.models import Bot
from market.clock import Clock, Now, load_clock
from tradingplatform.management.base import OperatorCommand, find_bot
from tradingplatform.why.asked import FORMS, read_time
from tradingplatform.why.find import find
from tradingplatform.why.show import why_table
from tradingplatform.why.times import market_of


class Command(OperatorCommand):
    help = "Why a bot did, or did not, trade: one slot with everything that was looked at. Also while nothing runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        self.add_subject(parser)
        parser.add_argument("--at", metavar="TIME", help=f"a moment of the slot, market time: {FORMS}; else the latest")
        parser.add_argument("--wall", action="store_true", help="TIME is wall time (UTC)")
        parser.add_argument("--json", action="store_true", help="for programs")

    def add_subject(self, parser: ArgumentParser) -> None:
        parser.add_argument("bot", help="its name")

    def run_from_argv(self, argv: list[str]) -> None:
        """``--at -2h`` is meant as ``--at=-2h``, which argparse would not see."""
        joined = list(argv)
        for i in range(len(joined) - 2, 0, -1):
            if joined[i] == "--at" and joined[i + 1][:1] == "-" and joined[i + 1][1:2].isdigit():
                joined[i : i + 2] = [f"--at={joined[i + 1]}"]
        super().run_from_argv(joined)

    def act(self, **options: Any) -> None:
        clock = load_clock(settings.CLOCK_FILE)
        now = clock.now()
        bot, at = self.subject(options, clock, now)
        told = self.complete(find(bot, at, clock, now))
        self.stdout.write(json.dumps(told, indent=2) if options["json"] else self.table(told))

    def subject(self, options: Mapping[str, Any], clock: Clock, now: Now) -> tuple[Bot, datetime | None]:
        """Which bot, and a market time in the slot that is asked for; None: the latest. Raises ValueError."""
        return find_bot(options["bot"]), _asked(options["at"], clock, now, wall=options["wall"])

    def complete(self, told: dict[str, Any]) -> dict[str, Any]:
        """What is told besides: ``explain`` adds to it."""
        return told

    def table(self, told: dict[str, Any]) -> str:
        """For people."""
        return why_table(told)


def _asked(text: str | None, clock: Clock, now: Now, *, wall: bool) -> datetime | None:
    """Market time. Raises ValueError."""
    if text is None:
        return None
    if not wall:
        return read_time(text, now.market_at)
    wall_at = read_time(text, now.wall_at)
    market_at = market_of(wall_at, clock)
    if market_at is None:
        raise ValueError(f"the market time of {wall_at:%Y-%m-%d %H:%M} UTC wall time is not known: nothing ran by then")
    return market_at
