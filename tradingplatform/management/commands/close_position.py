"""Sell what a bot holds."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.management.base import OperatorCommand, find_bot
from tradingplatform.operator import close_position


class Command(OperatorCommand):
    help = "Decide that what a bot holds is sold now. Its stop goes first; the reconciler carries it out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the bot's")
        parser.add_argument("--reason", default="", help="kept with the position and the event")

    def act(self, **options: Any) -> None:
        bot = find_bot(options["name"])
        position = close_position(bot, self.by(options["reason"]))
        self.stdout.write(f"Bot {bot.name} sells {position.quantity.normalize():f} {position.symbol}")
