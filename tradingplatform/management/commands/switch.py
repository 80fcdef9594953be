"""The dead man's switch: all about it, and its settings."""

from argparse import ArgumentParser
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from risk.deadman_stage import deadlines
from tradingplatform.alarm_texts import span
from tradingplatform.dead_man import Challenge, challenge, read_switch, set_flatten_after, set_timeout
from tradingplatform.management.base import OperatorCommand, confirm
from tradingplatform.spans import read_span

NEVER = "never"


class Command(OperatorCommand):
    help = "Show the dead man's switch, or change its timeout and what it does long after it has triggered."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--timeout", help="how long nobody may check in, 1m to 7d, as in 15m, 24h, 2d")
        parser.add_argument("--flatten-after", help=f"hours after triggering at which everything is sold, or {NEVER}")
        parser.add_argument("--reason", default="", help="why; kept with the event")
        parser.add_argument("--confirm", default="", metavar="VALUE", help="the new value again, where it is loosened")

    def act(self, **options: Any) -> None:
        if options["timeout"] is not None:
            self._set_timeout(options["timeout"], options)
        if options["flatten_after"] is not None:
            self._set_flatten(options["flatten_after"], options)
        for line in _lines(challenge(self.by())):
            self.stdout.write(line)

    def _set_timeout(self, text: str, options: dict[str, Any]) -> None:
        timeout = read_span(text)
        if timeout > timedelta(seconds=read_switch().timeout_s):
            confirm(text, options["confirm"], f"let {text} pass without a check-in, which is longer than now")
        set_timeout(self.by(options["reason"]), timeout)

    def _set_flatten(self, text: str, options: dict[str, Any]) -> None:
        confirm(text, options["confirm"], "change when everything is sold after the switch has triggered")
        set_flatten_after(self.by(options["reason"]), None if text == NEVER else _hours(text))


def _hours(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"--flatten-after: {text!r} is not a number of hours: give one such as 48, or {NEVER}")
    return int(text)


def _lines(seen: Challenge) -> Iterator[str]:
    switch = seen.switch
    due = deadlines(switch.last_checkin_at, timedelta(seconds=switch.timeout_s))
    stage = str(seen.stage) if switch.latched_at is None else f"{seen.stage} since {_at(switch.latched_at)}"
    yield f"stage          {stage}"
    yield f"last check-in  {_at(switch.last_checkin_at)} by {switch.last_checkin_by}"
    yield f"timeout        {span(switch.timeout_s)}"
    yield f"warning        {_at(due.warning_at)}"
    yield f"critical       {_at(due.critical_at)}"
    yield f"triggers       {_at(due.triggered_at)}, in {span(seen.seconds_left)}"
    yield f"then           {_flatten(switch.flatten_after_h)}"
    yield f"last drill     {_at(switch.drilled_at) if switch.drilled_at else 'none yet'}"
    yield f"clock          {seen.clock_problem or 'in order'}"


def _flatten(hours: int | None) -> str:
    return "nothing is ever sold" if hours is None else f"everything is sold {hours} h after it has triggered"


def _at(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
