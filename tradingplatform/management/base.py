"""What the operator's commands share: the clock, who acts, and errors as one clear line each."""

import getpass
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, ProgrammingError

from bots.lifecycle import IllegalTransition
from bots.models import Bot, ExchangeAccount
from execution.capital import NotEnoughCash
from execution.held import BotInUse
from execution.lock import NoPortfolio
from market.clock import Now, load_clock
from tradingplatform.acting import By
from tradingplatform.fleet.problems import BadFleet
from tradingplatform.instruments import ExchangeUnreachable

EXPECTED = (BadFleet, BotInUse, ExchangeUnreachable, IllegalTransition, NoPortfolio, NotEnoughCash, ValueError)
"""Refusals with a text for the operator. Anything else is a fault of ours and shows its traceback."""


class OperatorCommand(BaseCommand):
    """A command whose ``act`` may raise any of EXPECTED."""

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            self.act(**options)
        except ValidationError as error:
            raise CommandError(_by_field(error)) from None
        except EXPECTED as error:
            raise CommandError(str(error)) from None
        except (OperationalError, ProgrammingError) as error:
            raise CommandError(f"the database cannot be used ({error}): run `python manage.py migrate`") from None

    def act(self, **options: Any) -> None:
        raise NotImplementedError

    def by(self, reason: str = "") -> By:
        return By(actor=actor(), now=now(), reason=reason)


def now() -> Now:
    """Both clocks, from the anchor kept in VAR: also while the platform is stopped."""
    return load_clock(settings.CLOCK_FILE).now()


def actor() -> str:
    """Who types."""
    try:
        return f"{getpass.getuser()} (command line)"
    except (KeyError, OSError):  # a user id without a name, as in containers
        return "command line"


def find_bot(name: str) -> Bot:
    """The bot of that name. Raises CommandError, naming the nearest."""
    bot = Bot.objects.select_related("account").filter(name=name).first()
    if bot is None:
        known = list(Bot.objects.values_list("name", flat=True))
        near = [one for one in known if name in one][:10] or get_close_matches(name, known)
        raise CommandError(f"there is no bot {name!r}" + (f": perhaps {', '.join(near)}" if near else ""))
    return bot


def find_account(name: str) -> ExchangeAccount:
    """The account of that name. Raises CommandError, naming all there are."""
    account = ExchangeAccount.objects.filter(name=name).first()
    if account is None:
        names = ", ".join(ExchangeAccount.objects.values_list("name", flat=True)) or "none at all"
        raise CommandError(f"there is no account {name!r}: there is {names}")
    return account


def _by_field(error: ValidationError) -> str:
    if not hasattr(error, "error_dict"):
        return "\n".join(error.messages)
    return "\n".join(f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts)


def add_bot_or_all(parser: ArgumentParser, everything: str) -> None:
    """A bot's name, or ``--all``."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", help="the bot's")
    which.add_argument("--all", action="store_true", help=everything)


def add_scope(parser: ArgumentParser) -> None:
    """A bot's name, ``--account`` with an account's, or ``--all``."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("name", nargs="?", help="the bot's")
    which.add_argument("--account", metavar="NAME", help="every bot of this account")
    which.add_argument("--all", action="store_true", help="everything, on every account")


def add_bots_or_all(parser: ArgumentParser) -> None:
    """Names of bots, or ``--all``."""
    parser.add_argument("names", nargs="*", metavar="BOT", help="names of bots")
    parser.add_argument("--all", action="store_true", help="every bot there is")


def find_bots(names: Sequence[str], everyone: bool) -> list[Bot]:
    """Those bots, each once. Raises CommandError for none, for both ways of naming them, and for an unknown name."""
    if bool(names) == everyone:
        raise CommandError("name bots, or give --all")
    return list(Bot.objects.all()) if everyone else [find_bot(name) for name in dict.fromkeys(names)]


def add_bot_or_account(parser: ArgumentParser, *, required: bool) -> None:
    """A bot's name, or ``--account`` and an account's."""
    parser.add_argument("name", nargs=None if required else "?", help="the bot's name")
    parser.add_argument("--account", action="store_true", help="the name is an account's")


def bot_or_account(options: Mapping[str, Any]) -> Bot | ExchangeAccount:
    """What was named. Raises CommandError for an unknown name."""
    return find_account(options["name"]) if options["account"] else find_bot(options["name"])


def confirm(name: str, typed: str, act: str) -> None:
    """Raises CommandError unless the name was typed twice."""
    if typed != name:
        raise CommandError(f"not confirmed: to {act}, give --confirm {name}")


def read_amount(text: str) -> Decimal:
    """An amount of money as typed. Raises ValueError."""
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise ValueError(f"capital: {text!r} is not a number: give an amount above 0, such as 5000")
    return amount
