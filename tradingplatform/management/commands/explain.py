"""Everything about one slot of a bot: what ``why`` tells, its events, and the log lines of every process."""

from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings

from bots.models import Bot
from execution.models import Order
from market.clock import Clock, Now
from tradingplatform.explain.find import with_events_and_log
from tradingplatform.explain.of_order import find_order, order_told, slot_time
from tradingplatform.explain.show import page_of
from tradingplatform.management.commands import why


class Command(why.Command):
    help = (
        "What why tells, with every event of the slot and every line of the logs about it; by bot and time, or by the"
        " name of an order. Also while nothing runs."
    )
    order: Order | None = None

    def add_subject(self, parser: ArgumentParser) -> None:
        parser.add_argument("bot", nargs="?", help="its name")
        parser.add_argument("--order", metavar="NAME", help="of an order, instead of bot and time")

    def subject(self, options: Mapping[str, Any], clock: Clock, now: Now) -> tuple[Bot, datetime | None]:
        if not options["order"]:
            if not options["bot"]:
                raise ValueError("name a bot, or an order: explain BOT [--at TIME], explain --order NAME")
            return super().subject(options, clock, now)
        if options["bot"] or options["at"]:
            raise ValueError("an order says itself whose it is and when: give --order alone")
        self.order = find_order(options["order"])
        return self.order.bot, slot_time(self.order)

    def complete(self, told: dict[str, Any]) -> dict[str, Any]:
        asked = {} if self.order is None else {"order_asked": order_told(self.order)}
        names = [] if self.order is None else [self.order.client_order_id]
        return asked | with_events_and_log(told, settings.VAR / "log", names)

    def table(self, told: dict[str, Any]) -> str:
        return page_of(super().table(told), told)
