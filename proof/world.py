"""Everything that a history happens in: the rows of a small fleet on one live account, the exchange, and the way there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from random import Random
from typing import Any

from bots.models import Bot, ExchangeAccount, Mode
from execution.live import LiveTrader
from execution.models import AssetBalance, BotBook, Position, Reconciliation
from execution.states import LIVE_POSITION
from execution.submit import Means
from market.ccxt_exchange import CcxtExchange
from market.ccxt_orders import CcxtOrderDesk
from market.clock import Clock, Now
from market.exchange import ExchangeError
from proof.clock import VirtualClock
from proof.database import Database
from proof.faults import Script
from proof.prices import BEGIN_MS, BNB, BTC, ETH, SeededPrices
from proof.venue import BASE_URL, Venue
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from tests.factories import make_account, make_bot

START_MS = BEGIN_MS + 30 * 60_000
"""When a history begins: there are prices already, and will be for hours."""

CAPITAL = Decimal(100_000)
FLEET = (("BTC/USDT", "5000"), ("BTC/USDT", "5000"), ("ETH/USDT", "5000"), ("ETH/USDT", "5000"))
_CLOCK = Clock()


def raise_fleet(database: Database) -> None:
    """The rows that every history begins with, kept as what the database is put back to."""
    start = Now(START_MS, START_MS)
    account = make_account(str(CAPITAL), now=start)
    ExchangeAccount.objects.filter(pk=account.pk).update(mode=Mode.LIVE, order_prefix="proof")
    AssetBalance.objects.update_or_create(account=account, asset="USDT", defaults={"amount": CAPITAL})
    Reconciliation.objects.update_or_create(account=account, defaults={"clean_at": start.wall_at})
    for symbol, capital in FLEET:
        bot = make_bot(account, symbol=symbol, capital=Decimal(capital))
        BotBook.objects.filter(bot=bot).update(day=start.market_at.date())
    database.keep()


def now() -> Now:
    """Both clocks, which are the same here."""
    return _CLOCK.now()


@dataclass
class World:
    """What the actors of one history share."""

    clock: VirtualClock
    venue: Venue
    script: Script
    account: ExchangeAccount
    market: CcxtExchange
    desk: CcxtOrderDesk
    executor: LiveTrader

    def means(self, symbol: str) -> Means:
        """What orders of a symbol are sent with, as a process that starts now would find it."""
        try:
            instrument = self.market.instruments().get(symbol)
        except ExchangeError:
            instrument = None
        return Means(self.executor, now, instrument, lambda: self.bid(symbol))

    def bid(self, symbol: str) -> Decimal | None:
        try:
            return self.market.fetch_quote(symbol).bid
        except ExchangeError:
            return None

    def restart(self) -> None:
        """What a process that died knew is gone; the next one begins with the rows alone."""
        self.market, self.desk, self.executor = connect(self.venue)

    def bots(self) -> list[Bot]:
        return list(Bot.objects.select_related("account", "book", "limits").order_by("pk"))

    def live(self, bot_id: int) -> Position | None:
        return Position.objects.filter(bot_id=bot_id, status__in=list(LIVE_POSITION)).first()


def build(seed: int, clock: VirtualClock, **settings: Any) -> World:
    """The world of a seed: how deep the books are, how the prices move and who pays fees in what belong to it."""
    draw = Random(seed)
    book = Decimal(draw.choice((40, 400, 20_000)))
    instruments = tuple(replace(one, book_notional=book) for one in (BTC, ETH)) + (BNB,)
    deposits = {"USDT": CAPITAL}
    prices = SeededPrices(seed, instruments, gap=draw.choice((0.0, 0.02, 0.08)))
    venue = Venue(clock, prices, deposits, **settings)
    script = Script(venue, Random(seed + 1))
    venue.strike = script.strike
    return World(clock, venue, script, ExchangeAccount.objects.get(), *connect(venue))


def connect(venue: Venue) -> tuple[CcxtExchange, CcxtOrderDesk, LiveTrader]:
    """What a process that starts now talks to the exchange with."""
    market = CcxtExchange("binance", BASE_URL)
    desk = CcxtOrderDesk(market, DEMO_KEY, DEMO_SECRET, "proof")
    for connection in (market.connection, desk._connection):
        venue.attach(connection.ccxt.session)
    return market, desk, LiveTrader(desk, market.fetch_quote)
