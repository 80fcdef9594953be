"""``python -m tests.live_processes.hand``: acts of an operator, one a line, in a process of the platform's environment.

A line in is ``[act, {arguments}]``, a line out its result, or ``{"error": text}``, as JSON. One process that stays,
because a management command for each act would take longer than what is tested.
"""

import json
import os
import sys
import time
from contextlib import suppress
from decimal import Decimal
from io import StringIO
from typing import Any

import django

django.setup()

from django.core.management import CommandError, call_command  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import F  # noqa: E402

from bots.lifecycle import borrow_lease, return_lease  # noqa: E402
from bots.models import Bot, ExchangeAccount  # noqa: E402
from execution.drive import leave as leave_position  # noqa: E402
from execution.models import Portfolio, Position  # noqa: E402
from execution.record import LostRace  # noqa: E402
from execution.submit import Exit  # noqa: E402
from risk.exits import ExitReason  # noqa: E402
from risk.models import PortfolioRiskLimits  # noqa: E402
from soak.agreement import compare  # noqa: E402
from soak.live_fleet import ACCOUNT  # noqa: E402
from tests.live_processes.near import enter_near  # noqa: E402
from tradingplatform import live_accounts, operator  # noqa: E402
from tradingplatform.acting import By  # noqa: E402
from tradingplatform.holder import new_token  # noqa: E402
from tradingplatform.means import means_of  # noqa: E402
from tradingplatform.operator import NewBot  # noqa: E402
from tradingplatform.wiring import platform  # noqa: E402


def by() -> By:
    return By("tester", platform().clock.now(), "a test")


def command(argv: list[str]) -> str:
    """A management command and what it prints."""
    printed = StringIO()
    call_command(*argv, stdout=printed)
    return printed.getvalue()


def make(names: list[str], symbols: list[str], stop_percent: float, capital: str = "5000") -> None:
    """Bots that may enter live, and do not run yet; the symbols in turn."""
    account, instruments = ExchangeAccount.objects.get(name=ACCOUNT), platform().instruments()
    bots = []
    for number, name in enumerate(names):
        wants = {"stop_type": "percent", "stop_percent": stop_percent}
        new = NewBot(name, "at_once", symbols[number % len(symbols)], "15m", Decimal(capital), wants)
        bots.append(operator.create_bot(account, new, instruments, by(), start=False))
    live_accounts.go_live(bots, account, by())


def watch(name: str) -> None:
    """A bot that ticks, and has no leave to enter."""
    account, instruments = ExchangeAccount.objects.get(name=ACCOUNT), platform().instruments()
    new = NewBot(name, "at_once", "BTC/USDT", "15m", Decimal(5000))
    operator.create_bot(account, new, instruments, by(), start=True)


def start(names: list[str], ticking: bool = True) -> None:
    """Let them tick at once, wherever in the candle that is, and enter: their place in the slot is now.

    Not ``ticking``: they have ticked in this slot already.
    """
    _await_room_in_the_slot()
    for bot in Bot.objects.filter(name__in=names):
        with transaction.atomic():
            operator.start_bot(bot, by())
            into_s = _into_s(bot.interval_s)
            ticked = {} if ticking else {"last_slot": F("last_slot") + 1}
            Bot.objects.filter(pk=bot.pk).update(stagger_s=into_s, **ticked)


def _into_s(interval_s: int) -> int:
    return by().now.market_ms // 1000 % interval_s


def _await_room_in_the_slot(interval_s: int = 900, wall_s: float = 5.0) -> None:
    """A bot that starts as a slot ends would have its place at the end of the next one."""
    speed = platform().clock.speed
    left_s = (interval_s - _into_s(interval_s)) / speed
    if left_s < wall_s:
        time.sleep(left_s + 1)


def pause(names: list[str]) -> None:
    for bot in Bot.objects.filter(name__in=names):
        operator.pause_bot(bot, by())


def close(name: str) -> str:
    """The operator's close: decided only. What is in the way of it, or nothing."""
    try:
        operator.close_position(Bot.objects.get(name=name), by())
    except (ValueError, LostRace) as error:
        return str(error)
    return ""


def leave(name: str) -> str:
    """A strategy's exit, decided and carried out under the bot's lease, as its tick would; what was in the way of it,
    or nothing."""
    bot, ours = Bot.objects.select_related("account").get(name=name), platform()
    token = new_token()
    before = borrow_lease(bot.pk, ours.clock.now(), token)
    if before is None:
        return "somebody else has the lease"
    try:
        position = Position.objects.get(bot=bot)
        wish = Exit(ExitReason.STRATEGY, "a test's strategy", position.stop_price)
        leave_position(position, wish, None, means_of(ours, bot.account, bot.symbol))
    except LostRace as error:
        return str(error)
    finally:
        return_lease(bot.pk, token, before)
    return ""


def room_for(positions: int, of: str) -> None:
    """Limit the account's exposure to what it has and so many positions more of that notional."""
    portfolio = Portfolio.objects.get(account__name=ACCOUNT)
    most = portfolio.exposure + (positions + Decimal("0.5")) * Decimal(of)
    limits = PortfolioRiskLimits.objects.get(account=portfolio.account)
    limits.max_exposure = (most / portfolio.capital).quantize(Decimal("0.00001"))
    limits.save()


def disagreements(ledger: dict[str, Any], speed: float) -> list[str]:
    """Between the exchange's ledger and our books, and within our books."""
    wrong: list[str] = compare(ACCOUNT, ledger, speed)["wrong"]
    with suppress(CommandError):
        command(["verify_ledger"])
        return wrong
    return [*wrong, "verify_ledger finds differences"]


_ACTS = (command, make, watch, start, enter_near, pause, close, leave, room_for, disagreements)
ACTS = {act.__name__: act for act in _ACTS}


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever else is printed is no answer
    for line in sys.stdin:
        act, arguments = json.loads(line)
        try:
            result = ACTS[act](**arguments)
        except Exception as error:  # the test that asked has to see it
            result = {"error": f"{type(error).__name__}: {error}"}
        answers.write(json.dumps(result) + "\n")


if __name__ == "__main__":
    main()
