"""Keep a bot, or all of them, from entering."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.management.base import OperatorCommand, add_bot_or_all, find_bot
from tradingplatform.operator import pause_all, pause_bot


class Command(OperatorCommand):
    help = "No more entries: exits are managed on. Of one bot, or with --all of every running one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        add_bot_or_all(parser, "every running bot")
        parser.add_argument("--reason", default="", help="kept with the bot and the event")

    def act(self, **options: Any) -> None:
        by = self.by(options["reason"])
        if options["all"]:
            self.stdout.write(f"{pause_all(by)} bots paused")
        else:
            bot = pause_bot(find_bot(options["name"]), by)
            self.stdout.write(f"Bot {bot.name} is {bot.status}")
