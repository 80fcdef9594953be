"""Connect an account at the exchange, for live orders."""

import getpass
import os
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings

from bots.live_exchanges import NOT_YET
from market.exchange import OrderDesk
from tradingplatform.instruments import ExchangeUnreachable
from tradingplatform.live_accounts import Credentials, NewAccount, connect_account, why_not_connected
from tradingplatform.management.base import OperatorCommand, confirm, read_amount


class Command(OperatorCommand):
    help = (
        "Make a LIVE account from an API key, after asking the exchange about it. The key comes from EXCHANGE_API_KEY "
        f"and EXCHANGE_API_SECRET in the environment, or is asked for. Note: {NOT_YET}."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what to call the account here")
        parser.add_argument("--capital", required=True, help="what of its balance the platform trades with, in --quote")
        parser.add_argument("--quote", default="USDT", help="the currency that capital and profit are counted in")
        parser.add_argument("--confirm", default="", metavar="NAME", help="the name again: this is about money")

    def act(self, **options: Any) -> None:
        name = options["name"]
        confirm(name, options["confirm"], f"connect {name} for live orders")
        new = NewAccount(name, settings.EXCHANGE, options["quote"], read_amount(options["capital"]))
        credentials = Credentials(_given("EXCHANGE_API_KEY"), _given("EXCHANGE_API_SECRET"))
        if problem := why_not_connected(new, credentials):
            raise ValueError(problem)
        account, warnings = connect_account(new, credentials, _desk(name, credentials), self.by())
        self.stdout.write(f"Account {account} is LIVE, key {account.fingerprint}, capital {new.capital} {new.quote}")
        for warning in warnings:
            self.stdout.write(self.style.WARNING(f"warning: {warning}"))
        if not settings.LIVE_TRADING:
            self.stdout.write("Nothing enters on it yet: LIVE_TRADING is off.")


def _given(variable: str) -> str:
    """From the environment, or typed without echo; never an argument, which every process list shows."""
    if value := os.environ.get(variable, "").strip():
        return value
    if not sys.stdin.isatty():
        raise ValueError(f"{variable} is not set: set it for this command, or run it on a terminal to be asked")
    return getpass.getpass(f"{variable}: ").strip()


def _desk(name: str, credentials: Credentials) -> OrderDesk:
    from tradingplatform.wiring import platform  # here, because importing ccxt takes a second

    try:
        open_desk = platform().open_desk
    except RuntimeError as error:
        raise ExchangeUnreachable(str(error)) from None
    if open_desk is None:
        raise ValueError(NOT_YET)
    return open_desk(credentials.api_key, credentials.api_secret, name)
