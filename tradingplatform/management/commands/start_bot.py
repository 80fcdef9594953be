"""Put a stopped bot in service."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.management.base import OperatorCommand, find_bot
from tradingplatform.operator import start_bot


class Command(OperatorCommand):
    help = "Put a stopped bot in service."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the bot's")
        parser.add_argument("--reason", default="", help="kept with the event")

    def act(self, **options: Any) -> None:
        bot = start_bot(find_bot(options["name"]), self.by(options["reason"]))
        self.stdout.write(f"Bot {bot.name} is {bot.status}")
