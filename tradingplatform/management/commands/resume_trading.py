"""End what ``halt`` began."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from tradingplatform.acting import By
from tradingplatform.alarm_texts import halt_text
from tradingplatform.alarms import halts_in_force
from tradingplatform.kill_switch import resume_account, resume_bot_trading, resume_everything
from tradingplatform.management.base import OperatorCommand, add_scope, find_account, find_bot


class Command(OperatorCommand):
    help = (
        "End a halt that a person began with `halt`, in the same scope. What a check has halted stays: `clear_halt` "
        "clears an account's, `reset_bot` a bot's. (`resume_bot` lets a paused bot enter again.)"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_scope(parser)
        parser.add_argument("--reason", required=True, help="why trading may go on; kept with the halt")

    def act(self, **options: Any) -> None:
        by = self.by(options["reason"])
        scope, ended = _resume(options, by)
        left = halts_in_force(by.now)
        if not ended:
            raise ValueError(_nothing(scope, [halt_text(halt, settings.VAR) for halt in left]))
        self.stdout.write(f"The halt of {scope} is over: entries go on" + (", but for:" if left else ""))
        for halt in left:
            self.stdout.write(f"  {halt_text(halt, settings.VAR)}")


def _resume(options: dict[str, Any], by: By) -> tuple[str, int]:
    if options["all"]:
        return "everything", resume_everything(by)
    if options["account"]:
        account = find_account(options["account"])
        return f"account {account.name}", resume_account(account, by)
    bot = find_bot(options["name"])
    return f"bot {bot.name}", resume_bot_trading(bot, by)


def _nothing(scope: str, left: list[str]) -> str:
    others = "; in force are:\n" + "\n".join(left) if left else ", and neither is anything else"
    return f"{scope} is not halted by a person{others}"
