"""Change one limit of a bot or of an account."""

from argparse import ArgumentParser
from typing import Any

from risk.models import LimitChange
from tradingplatform.limit_acts import change_limit
from tradingplatform.management.base import OperatorCommand, add_bot_or_account, bot_or_account


class Command(OperatorCommand):
    help = (
        "Change one limit of a bot or of an account. Tightening holds at once; loosening needs --confirm, and holds "
        "from the next slot on. The present value withdraws a change that waits."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bot_or_account(parser, required=True)
        parser.add_argument("limit", help="which: `manage.py limits` lists them")
        parser.add_argument("value", help="a fraction such as 0.25, or a whole number")
        parser.add_argument("--reason", required=True, help="why; kept with the change")
        parser.add_argument("--confirm", default="", metavar="NAME", help="to loosen it: the bot's or account's name")

    def act(self, **options: Any) -> None:
        whose = bot_or_account(options)
        change = change_limit(whose, options["limit"], options["value"], self.by(options["reason"]), options["confirm"])
        self.stdout.write(f"{options['limit']} of {whose}: {_outcome(change)}")


def _outcome(change: LimitChange | None) -> str:
    if change is None:
        return "stays as it is; the change that waited is withdrawn"
    if change.applied_at is not None:
        return f"{change.after} now"
    return f"{change.before} until {change.effective_at:%Y-%m-%d %H:%M} UTC of market time, {change.after} from then on"
