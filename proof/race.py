"""Many bots entering in the same moment, from processes of their own, while one of those may be killed.

Every round has an account of its own, with 45 bots and room for three of them under one of the caps. Eight forked
processes are let go together and take every bot through the real gate to PaperTrader. In every second round one of them
is killed with signal 9: before its n-th statement, between two commits, or at a moment of wall time. What is found
afterwards is judged, carried on by ``drive`` as after a restart, and judged again.
"""

from __future__ import annotations

import os
import signal
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from multiprocessing import RawArray, RawValue
from pathlib import Path
from random import Random
from typing import Any

from django.db import OperationalError, connection, transaction

from bots.models import Bot, ExchangeAccount
from execution import crash_points
from execution.drive import drive
from execution.models import Position
from execution.paper import PaperTrader
from execution.paper_book import PaperBook
from execution.portfolio import Pricing
from execution.states import LIVE_POSITION
from execution.submit import Means, enter
from market.clock import Now
from market.clock_offset import Offset
from market.exchange import Quote
from proof.race_rules import CAPS, ROOM, found_at_rest, found_wrong
from proof.results import Raced
from risk.decisions import Grounds
from risk.models import PortfolioRiskLimits
from risk.verdicts import Proposal
from tests.factories import SLOT_0, freshly_marked, instrument, make_account, make_bot, now_at
from tests.fakes import quote

BOTS, PROCESSES = 45, 8
PRICE, WORST, AMOUNT = Decimal(60_000), Decimal(60_060), Decimal("0.01")
SYMBOL = "BTC/USDT"
STATEMENTS, POINTS, WITHIN_MS = 75, 12, 400
"""A death comes before one of a process's first statements, at one of the race's first crash points, or within so many
milliseconds."""

_LEAD_S = 0.05


@dataclass(frozen=True)
class Death:
    """How one of the processes ends: before its n-th ``statement``, so many ``ms`` after the start, or as the one that
    reaches the n-th crash ``point`` of all."""

    kind: str
    moment: int
    victim: int

    @classmethod
    def drawn(cls, random: Random) -> Death:
        kind, most = random.choice((("statement", STATEMENTS), ("point", POINTS), ("ms", WITHIN_MS)))
        return cls(kind, random.randint(1, most), random.randrange(PROCESSES))

    def __str__(self) -> str:
        return f"killed at {self.kind} {self.moment}"


def race(number: int, folder: Path, seed: int) -> Raced:
    """One round on Django's database, which is migrated. ``folder`` is for what the processes have to say; every second
    one knows a death."""
    random = Random(f"{seed} {number}")
    return _Race(folder, random, number, Death.drawn(random) if number % 2 else None).run()


class _Race:
    """One round."""

    def __init__(self, folder: Path, random: Random, number: int, death: Death | None) -> None:
        self._folder, self._random, self._number, self._death = folder, random, number, death
        self._cap = CAPS[number // 2 % len(CAPS)]
        self._go_s, self._points = RawValue("d", 0.0), RawValue("i", 0)
        self._gave_up = RawArray("i", PROCESSES)

    def run(self) -> Raced:
        account, bots = self._raise()
        self._random.shuffle(bots)
        began_s, exits = self._let_go([bots[n::PROCESSES] for n in range(PROCESSES)])
        seconds = time.monotonic() - began_s
        died = any(os.WIFSIGNALED(status) for status in exits)
        spared = [bot.pk for n in range(PROCESSES) if not os.WIFSIGNALED(exits[n]) for bot in bots[n::PROCESSES]]
        wrong = self._failures() + found_wrong(account, self._cap, spared, sum(self._gave_up))
        self._recover(account)
        wrong += found_at_rest(account, self._cap, "after recovery")
        if self._cap.lasts:
            self._fill_up(account)
            wrong += found_at_rest(account, self._cap, "filled up again", full=True)
        return Raced(self._number, wrong, seconds, str(self._death or ""), died, sum(self._gave_up))

    def _raise(self) -> tuple[ExchangeAccount, list[Bot]]:
        """The account with its limits, and its bots."""
        with transaction.atomic():
            account = make_account(str(self._cap.capital))
            PortfolioRiskLimits.objects.filter(account=account).update(**self._cap.limits)
            bots = [make_bot(account, symbol=SYMBOL, capital=Decimal(5_000)) for _ in range(BOTS)]
        return account, bots

    def _let_go(self, shares: Sequence[list[Bot]]) -> tuple[float, list[int]]:
        """Fork a process for each share, all beginning at one moment; when that was, and how each ended."""
        self._go_s.value = time.monotonic() + _LEAD_S * 2
        connection.close()
        children = [self._fork(number, share) for number, share in enumerate(shares)]
        if self._death is not None and self._death.kind == "ms":
            time.sleep(max(0.0, self._go_s.value - time.monotonic()) + self._death.moment / 1000)
            os.kill(children[self._death.victim], signal.SIGKILL)  # one that has ended is waited for below
        return self._go_s.value, [os.waitpid(child, 0)[1] for child in children]

    def _fork(self, number: int, share: list[Bot]) -> int:
        child = os.fork()
        if child:
            return child
        try:
            with self._doomed(number):
                self._enter_all(number, share)
        except BaseException:
            (self._folder / f"{self._number}-{number}.txt").write_text(traceback.format_exc())
            os._exit(2)
        os._exit(0)

    @contextmanager
    def _doomed(self, number: int) -> Iterator[None]:
        """Whoever comes to the moment of death dies there."""
        death = self._death
        if death is not None and death.kind == "point":
            crash_points.on_reached = self._reached
        if death is not None and death.kind == "statement" and death.victim == number:
            with connection.execute_wrapper(_until(death.moment)):
                yield
        else:
            yield

    def _reached(self, _: str) -> None:
        self._points.value += 1  # two at once may count as one: no matter
        if self._death is not None and self._points.value == self._death.moment:
            _die()

    def _enter_all(self, number: int, share: list[Bot]) -> None:
        connection.ensure_connection()
        time.sleep(max(0.0, self._go_s.value - time.monotonic()))
        for bot in share:
            try:
                _enter(bot, SLOT_0)
            except OperationalError:
                self._gave_up[number] += 1

    def _failures(self) -> list[str]:
        """What processes died of that nobody killed."""
        found = []
        for path in sorted(self._folder.glob(f"{self._number}-*.txt")):
            found.append(f"process {path.stem} failed: {path.read_text().strip().splitlines()[-1]}")
        return found

    def _recover(self, account: ExchangeAccount) -> None:
        """As the next tick or the reconciler would, once the dead one's lease has run out."""
        for pk in Position.objects.filter(account=account, status__in=list(LIVE_POSITION)).values_list("pk", flat=True):
            drive(pk, _means(account))

    def _fill_up(self, account: ExchangeAccount) -> None:
        """In the next slot some who hold nothing try again: the room that a death left is taken, and no more."""
        freshly_marked(account, now_at(SLOT_0 + 1))
        idle = Bot.objects.select_related("account", "book", "limits").filter(account=account)
        for bot in idle.exclude(positions__status__in=list(LIVE_POSITION)).order_by("pk")[: ROOM * 2]:
            _enter(bot, SLOT_0 + 1)


def _until(last: int) -> Callable[..., Any]:
    """A wrapper around statements that kills its process before the ``last``-th."""
    numbers = count(1)

    def execute(act: Callable[..., Any], *arguments: Any) -> Any:
        if next(numbers) == last:
            _die()
        return act(*arguments)

    return execute


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _enter(bot: Bot, slot: int) -> None:
    means, of, now = _means(bot.account, slot), instrument(SYMBOL), now_at(slot)
    pricing = Pricing(of, PRICE, _quote(now), Offset(0, 0), 300_000)
    enter(bot, _proposal(bot, slot), pricing, Grounds(slot), means.executor, means.clock)


def _means(account: ExchangeAccount, slot: int = SLOT_0) -> Means:
    book, of, now = PaperBook(account), instrument(SYMBOL), now_at(slot)
    trader = PaperTrader(book, lambda _: _quote(now), lambda: {SYMBOL: of}, funds=book.free)
    return Means(trader, lambda: now, of, lambda: PRICE)


def _quote(now: Now) -> Quote:
    return quote(SYMBOL, str(PRICE), now.market_ms - 1_000)


def _proposal(bot: Bot, slot: int) -> Proposal:
    return Proposal(
        bot_id=bot.pk,
        account_id=bot.account_id,
        slot=slot,
        symbol=SYMBOL,
        base="BTC",
        quote="USDT",
        amount=AMOUNT,
        normal_amount=AMOUNT,
        reference_price=WORST,
        stop_price=PRICE * Decimal("0.98"),
        target_price=None,
        reason="everybody wants to",
    )
