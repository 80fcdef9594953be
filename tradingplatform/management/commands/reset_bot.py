"""Acknowledge a halted bot's halt."""

from argparse import ArgumentParser
from typing import Any

from tradingplatform.management.base import OperatorCommand, find_bot
from tradingplatform.operator import reset_bot


class Command(OperatorCommand):
    help = (
        "Acknowledge what a check has halted a bot for. It is paused then; resume_bot lets it enter again. "
        "A daily loss is over by itself at 00:00 UTC of market time."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="the bot's")
        parser.add_argument("--reason", required=True, help="why the halt may be cleared; kept with it")

    def act(self, **options: Any) -> None:
        bot = reset_bot(find_bot(options["name"]), self.by(options["reason"]))
        self.stdout.write(f"Bot {bot.name} is {bot.status}")
