"""Book that a bot's position was sold by hand at the exchange."""

from argparse import ArgumentParser
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandError

from execution.models import Position
from execution.states import LIVE_POSITION
from market.money import canonical
from tradingplatform.corrections import closed_by_hand
from tradingplatform.management.base import OperatorCommand, find_bot


class Command(OperatorCommand):
    help = "Book that all of a bot's position was sold by hand at the exchange. Nothing is sent there."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("bot", help="the bot's name")
        parser.add_argument("--price", required=True, help="the average price it was sold at, in quote")
        parser.add_argument("--reason", required=True, help="why; kept with the order")

    def act(self, **options: Any) -> None:
        bot = find_bot(options["bot"])
        position = Position.objects.filter(bot=bot, status__in=list(LIVE_POSITION)).first()
        if position is None:
            raise CommandError(f"bot {bot.name} holds no position")
        order = closed_by_hand(position, _price(options["price"]), self.by(options["reason"]))
        position.refresh_from_db()
        profit = f"{canonical(position.realised)} {bot.account.quote}"
        self.stdout.write(f"Order {order} booked: {position} of bot {bot.name}, realised {profit}")


def _price(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise CommandError(f"--price {text!r} is not a number: give the price of one unit, such as 60000") from None
