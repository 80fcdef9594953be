"""Let a paused bot, or all of them, enter again."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.management.base import OperatorCommand, add_bot_or_all, find_bot
from tradingplatform.operator import resume_all, resume_bot


class Command(OperatorCommand):
    help = "Let a paused bot enter again, or with --all every paused one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bot_or_all(parser, "every paused bot")
        parser.add_argument("--reason", default="", help="kept with the event")

    def act(self, **options: Any) -> None:
        by = self.by(options["reason"])
        if options["all"]:
            self.stdout.write(f"{resume_all(by)} bots resumed")
        else:
            bot = resume_bot(find_bot(options["name"]), by)
            self.stdout.write(f"Bot {bot.name} is {bot.status}")
