"""The composition root: what the lower floors need is built here, after fork, and passed in.

Every process has one ``Platform``; ``platform()`` makes it on first use.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from bots.encrypted import Secret
from bots.live_exchanges import why_no_live_orders
from bots.models import ExchangeAccount
from execution.executors import BaseExecutor
from execution.live import LiveTrader
from execution.paper import PaperTrader
from execution.paper_book import PaperBook
from market.access import Access
from market.ccxt_exchange import SIMULATED, CcxtExchange
from market.ccxt_orders import CcxtOrderDesk
from market.clock import Clock, load_clock
from market.exchange import MarketData, OrderDesk
from market.fetcher import DataFetcher
from market.instruments import Instrument
from market.redis_health import RedisHealth
from tradingplatform.conditions import teller
from tradingplatform.scrub import remember

OpenDesk = Callable[[str, str, str], OrderDesk]
"""From an API key, its secret and the account's name to the account's orders at the exchange; nothing is asked yet."""


@dataclass(frozen=True)
class Platform:
    """What a process trades with. ``open_desk`` is None where no live orders can be made."""

    clock: Clock
    exchange: MarketData
    access: Access = field(default_factory=Access)
    redis_health: RedisHealth = field(default_factory=RedisHealth)
    open_desk: OpenDesk | None = None
    _desks: dict[int, tuple[Secret, Secret, OrderDesk]] = field(default_factory=dict)

    @cached_property
    def redis(self) -> redis.Redis:
        return connect_redis()

    @cached_property
    def fetcher(self) -> DataFetcher:
        return self.new_fetcher()

    def new_fetcher(self, **options: Any) -> DataFetcher:
        """A fetcher with its own patience (see DataFetcher); what is fetched is shared with all others."""
        return DataFetcher(
            self.exchange,
            self.redis,
            self.clock,
            namespace=f"market:{self.exchange.id}",
            on_offset=self.access.set_offset,
            health=self.redis_health,
            **options,
        )

    def instruments(self) -> dict[str, Instrument]:
        """Every symbol of the exchange by name. Raises market.exchange.ExchangeError when it cannot be asked."""
        return self.exchange.instruments()

    def instrument(self, symbol: str) -> Instrument | None:
        """What the exchange allows for a symbol that somebody trades; None where it is not listed.

        While the symbol is halted this is at most a minute old: an exit may be waiting. Raises
        market.exchange.ExchangeError.
        """
        found = self.exchange.instruments().get(symbol)
        if found is not None and not found.active:
            self.exchange.look_again()
        return found

    def executor(self, account: ExchangeAccount) -> BaseExecutor:
        """Where this account's orders go. Raises WrongAccount rather than trade somewhere else."""
        self._require_ours(account)
        if account.is_live:
            return LiveTrader(self.desk(account), self.fetcher.quote)
        book = PaperBook(account)
        return PaperTrader(book, self.fetcher.quote, self.instruments, funds=book.free)

    def desk(self, account: ExchangeAccount) -> OrderDesk:
        """The LIVE account's orders and balances at the exchange, by its own key; made anew when that was replaced.

        Raises WrongAccount for a PAPER account and where no live orders may go, UnreadableSecret without its key.
        """
        self._require_ours(account)
        if not account.is_live:
            raise WrongAccount(f"account {account} is in {account.mode} mode: it has no orders at the exchange")
        if refusal := why_no_live_orders(account.exchange):
            raise WrongAccount(f"account {account} is in {account.mode} mode, but {refusal}")
        if self.open_desk is None:
            raise WrongAccount(f"account {account} is in {account.mode} mode, and this process makes no live orders")
        sealed = (account.api_key, account.api_secret)
        kept = self._desks.get(account.pk)
        if kept is None or kept[:2] != sealed:
            desk = self.open_desk(account.api_key.reveal(), account.api_secret.reveal(), account.name)
            kept = self._desks[account.pk] = (*sealed, desk)
        return kept[2]

    def _require_ours(self, account: ExchangeAccount) -> None:
        if account.exchange != self.exchange.id:
            raise WrongAccount(f"account {account} is at {account.exchange}, this platform runs on {self.exchange.id}")


class WrongAccount(Exception):
    """An account that this installation must not trade on."""


@cache
def platform() -> Platform:
    """This process's platform."""
    return new_platform()


def new_platform() -> Platform:
    """A platform from the settings, with connections of its own: threads do not share them."""
    clock = load_clock(settings.CLOCK_FILE)
    base_url = settings.SIM_URL if settings.EXCHANGE == SIMULATED else None
    if settings.EXCHANGE == SIMULATED and not base_url:
        raise RuntimeError("no SIM_URL: the simulated exchange is not running (start the platform with `make run`)")
    client, health = connect_redis() if settings.REDIS_URL else None, RedisHealth()
    access = Access(client, access_namespace(), teller(settings.EXCHANGE, clock), health)
    exchange = CcxtExchange("binance" if base_url else settings.EXCHANGE, base_url, clock, access)
    return Platform(clock, exchange, access, health, partial(_open_desk, exchange))


def _open_desk(exchange: CcxtExchange, key: str, secret: str, account: str) -> OrderDesk:
    remember(key, secret)
    return CcxtOrderDesk(exchange, key, secret, account)


def access_namespace() -> str:
    """Limits and bans are per address. Sharing too much costs a little speed, too little is banned."""
    return f"access:{settings.EXCHANGE}:{settings.ADDRESS}"


def connect_redis() -> redis.Redis:
    """A client of the configured Redis that gives up on a hung server in seconds: what it is for can do without."""
    if not settings.REDIS_URL:
        raise RuntimeError("no REDIS_URL: Redis is not running (start the platform with `make run`, or set it)")
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=2,
        socket_connect_timeout=2,
        health_check_interval=15,
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),  # a hung one is not tried twice
    )
