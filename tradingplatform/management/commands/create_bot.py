"""Make one bot."""

import json
from argparse import ArgumentParser
from typing import Any

from bots.models import ExchangeAccount
from bots.strategies.registry import STRATEGIES
from market.slots import TIMEFRAMES
from tradingplatform.instruments import instruments
from tradingplatform.management.base import OperatorCommand, read_amount
from tradingplatform.operator import NewBot, create_bot


class Command(OperatorCommand):
    help = "Make one bot, stopped unless --start is given. To keep it over a load_fleet, add it to the fleet file too."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--name", required=True)
        parser.add_argument("--strategy", required=True, help=f"one of {', '.join(STRATEGIES)}")
        parser.add_argument("--symbol", required=True, help="as BTC/USDT")
        parser.add_argument("--timeframe", required=True, help=f"one of {', '.join(TIMEFRAMES)}")
        parser.add_argument("--capital", required=True, help="its share, in the account's quote currency")
        parser.add_argument("--param", action="append", default=[], metavar="NAME=VALUE", help="may be repeated")
        parser.add_argument("--account", help="needed when there are several")
        parser.add_argument("--start", action="store_true", help="start it at once")

    def act(self, **options: Any) -> None:
        new = NewBot(
            name=options["name"],
            strategy=options["strategy"],
            symbol=options["symbol"],
            timeframe=options["timeframe"],
            capital=read_amount(options["capital"]),
            parameters=dict(_parameter(text) for text in options["param"]),
        )
        bot = create_bot(_account(options["account"]), new, instruments(), self.by(), start=options["start"])
        self.stdout.write(f"Bot {bot.name} is {bot.status}: {bot.strategy} on {bot.symbol} {bot.timeframe}")


def _account(name: str | None) -> ExchangeAccount:
    accounts = {account.name: account for account in ExchangeAccount.objects.all()}
    if not accounts:
        raise ValueError("there is no account yet: load a fleet first (`python manage.py load_fleet`)")
    if name is None and len(accounts) == 1:
        return next(iter(accounts.values()))
    if name not in accounts:
        wanted = "there are several accounts" if name is None else f"there is no account {name!r}"
        raise ValueError(f"{wanted}: give --account, one of {', '.join(accounts)}")
    return accounts[name]


def _parameter(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise ValueError(f"--param {text!r} is not of the form NAME=VALUE, such as period=14")
    for read in (int, float, json.loads):  # a strategy takes numbers only where it wants numbers
        try:
            return name, read(value)
        except ValueError:
            continue
    return name, value
