"""Keep a bot, or all of them, from entering."""

from argparse import ArgumentParser
from typing import Any

from bots.models import Bot, BotStatus
from tradingplatform.management.base import OperatorCommand, find_bot
from tradingplatform.operator import pause_bot


class Command(OperatorCommand):
    help = "No more entries: exits are managed on. Of one bot, or with --all of every running one."

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("name", nargs="?", help="the bot's")
        which.add_argument("--all", action="store_true", help="every running bot")
        parser.add_argument("--reason", required=True, help="kept with the bot and the event")

    def act(self, **options: Any) -> None:
        running = Bot.objects.filter(status=BotStatus.RUNNING)
        bots = list(running) if options["all"] else [find_bot(options["name"])]
        for bot in bots:
            pause_bot(bot, self.by(options["reason"]))
        self.stdout.write(f"Bot {bots[0].name} is PAUSED" if not options["all"] else f"{len(bots)} bots are PAUSED")
