"""Everything that a history happens in: a small fleet on one live account, the exchange, and the way there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Protocol
from unittest.mock import patch

import redis
from django.test import override_settings

from bots.models import Bot, ExchangeAccount, Mode
from bots.strategies.base import Action, Signal
from execution.models import AssetBalance, BotBook, Position, Reconciliation
from execution.states import LIVE_POSITION
from market.access import Access
from market.candles import Candles
from market.ccxt_connection import Connection
from market.ccxt_exchange import CcxtExchange
from market.ccxt_orders import CcxtOrderDesk
from market.clock import Clock, Now
from market.redis_health import RedisHealth
from proof.clock import VirtualClock
from proof.database import Database
from proof.faults import Script
from proof.prices import BEGIN_MS, BNB, BTC, ETH, SeededPrices
from proof.venue import BASE_URL, Venue
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from tests.factories import make_account, make_bot
from tradingplatform import tick
from tradingplatform.wiring import Platform

SLOT_MS = 900_000
START_MS = (BEGIN_MS // SLOT_MS + 5) * SLOT_MS + 2_000
"""When a history begins: shortly after a slot did, with an hour of prices behind it."""

CAPITAL = Decimal(100_000)
FLEET = (("BTC/USDT", "5000"), ("BTC/USDT", "26"), ("ETH/USDT", "5000"), ("ETH/USDT", "400"))
"""Symbols and capitals. A quarter is entered with: of the smallest capital, hardly more than the exchange takes."""


def raise_fleet(database: Database) -> None:
    """The rows that every history begins with, kept as what the database is put back to."""
    start = Now(START_MS, START_MS)
    account = make_account(str(CAPITAL), now=start)
    account.mode, account.order_prefix = Mode.LIVE, "proof"
    account.api_key, account.api_secret = DEMO_KEY, DEMO_SECRET
    account.save()
    AssetBalance.objects.update_or_create(account=account, asset="BNB", defaults={"untracked": Decimal(50)})
    Reconciliation.objects.update_or_create(account=account, defaults={"clean_at": start.wall_at})
    for symbol, capital in FLEET:
        bot = make_bot(account, symbol=symbol, capital=Decimal(capital), live=True)
        Bot.objects.filter(pk=bot.pk).update(parameters={"bot": bot.pk})
        BotBook.objects.filter(bot=bot).update(day=_day(start.market_at))
    database.keep()


def _day(at: datetime) -> Any:
    return at.date()


class Absent(RedisHealth):
    """Redis is not there, and nobody waits to find out."""

    def usable(self) -> bool:
        return False


class Strategy(Protocol):
    """As much of one as a tick asks for."""

    longest_period: int

    def evaluate(self, candles: Candles) -> Signal: ...


class Drawn:
    """A strategy that wants what the seed draws: to enter or not, to leave or not."""

    longest_period = 1

    def __init__(self, random: Random, bot_id: int) -> None:
        self._random, self._bot_id = random, bot_id

    def evaluate(self, candles: Candles) -> Signal:
        """Its signal: to enter with a stop a little lower, to leave, or nothing."""
        held = Position.objects.filter(bot_id=self._bot_id, status__in=list(LIVE_POSITION)).exists()
        action = self._random.choices((Action.ENTER, Action.EXIT, Action.HOLD), (0, 5, 4) if held else (9, 0, 1))[0]
        return wish(action, candles, self._random.choice((0.995, 0.97, 0.9)))


def wish(action: Action, candles: Candles, stop: float) -> Signal:
    """A signal; ``stop`` is a part of the last close."""
    return Signal(action, "drawn", stop=float(candles.close[-1]) * stop if action is Action.ENTER else None)


@dataclass
class World:
    """What the actors of one history share."""

    clock: VirtualClock
    venue: Venue
    script: Script
    account: ExchangeAccount
    random: Random
    market_clock: Clock = field(default_factory=Clock)

    def now(self) -> Now:
        """Both clocks, which are the same here."""
        return self.market_clock.now()

    def platform(self) -> Platform:
        """What a process that starts now trades with: it knows nothing that is not in the database."""
        access = Access()
        market = CcxtExchange("binance", BASE_URL, self.market_clock, access)
        self._attach(market.connection)
        made = Platform(
            clock=self.market_clock,
            exchange=market,
            open_desk=partial(self._desk, market),
            access=access,
            redis_health=Absent(),
        )
        made.__dict__["redis"] = redis.Redis()  # which connects when it is asked, and nobody asks it
        return made

    def bots(self) -> list[int]:
        return list(Bot.objects.order_by("pk").values_list("pk", flat=True))

    def _desk(self, market: CcxtExchange, key: str, secret: str, account: str) -> CcxtOrderDesk:
        desk = CcxtOrderDesk(market, key, secret, account)
        self._attach(desk._connection)
        return desk

    def _attach(self, connection: Connection) -> None:
        self.venue.attach(connection.ccxt.session)


@contextmanager
def world(
    seed: int, clock: VirtualClock, directory: Path | None = None, strategy: Callable[[int], Strategy] | None = None
) -> Iterator[World]:
    """The world of a seed: how deep the books are, how the prices move and who pays fees in what belong to it.

    ``strategy`` wants what the bots want, where that is not to be drawn.
    """
    draw = Random(seed)
    book = Decimal(draw.choice((15, 400, 20_000)))
    instruments = (*(replace(one, book_notional=book) for one in (BTC, ETH)), BNB)
    prices = SeededPrices(seed, instruments, gap=draw.choice((0.0, 0.02, 0.08)))
    fee_asset = draw.choice((None, None, "BNB", "USDT"))
    venue = Venue(clock, prices, {"USDT": CAPITAL, "BNB": Decimal(50)}, directory, fee_asset=fee_asset)
    random = Random(seed + 1)
    script = Script(venue, random)
    venue.strike = script.strike
    made = World(clock, venue, script, ExchangeAccount.objects.get(), random)
    wants = strategy or (lambda bot_id: Drawn(random, bot_id))
    with override_settings(LIVE_TRADING=True), patch.object(tick, "build", lambda _, told: wants(told["bot"])):
        yield made
    venue.close()
