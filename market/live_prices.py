"""The last prices of every symbol in use, from one request for the whole fleet every few seconds."""

import json
from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

import redis
import structlog

from market.clock import Clock, Now
from market.exchange import ExchangeError, MarketData
from market.retry import retried
from market.single_flight import SingleFlight

log = structlog.get_logger()

_BOARD_AGE_S = 3_600  # a board that nobody asks for any more goes away (wall time)
_WANTED_AGE_MS = 600_000  # so long after the last question a symbol is still asked for (wall time)
_FAILURE_AGE_MS = 1_000


@dataclass(frozen=True, slots=True)
class Price:
    """The last trade's price in quote, as the exchange told it at ``at_ms`` (UTC milliseconds of market time)."""

    price: Decimal
    at_ms: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """One symbol on the board: its price, if it ever had one, and when somebody wanted it (wall milliseconds)."""

    price: Price | None
    wanted_ms: int


Board = dict[str, _Entry]


@dataclass(frozen=True, slots=True)
class LivePrices:
    """The board in Redis, and the one who renews it. ``age_ms``: how old it may become (wall milliseconds)."""

    exchange: MarketData
    clock: Clock
    client: redis.Redis
    namespace: str
    flight: SingleFlight
    age_ms: int

    def read(self, symbols: Collection[str], deadline_s: float) -> dict[str, Price]:
        """What is known of the symbols, renewed when it has grown old. When that fails, what was known before: the
        caller looks at the age. Symbols that never had a price are left out. Raises redis.RedisError."""
        board = self.flight.run(
            f"{self.namespace}:prices:lease",
            find=lambda: self._young(symbols),
            work=lambda renew: self._renewed(symbols, deadline_s),
            deadline_s=deadline_s,
        )
        entries = (board if board is not None else self._stored()).items()
        return {symbol: entry.price for symbol, entry in entries if symbol in symbols and entry.price is not None}

    def _young(self, symbols: Collection[str]) -> Board | None:
        stored, young = cast(
            list[bytes | None], self.client.mget(f"{self.namespace}:prices", f"{self.namespace}:prices:young")
        )
        board = _parsed(stored)
        return board if young is not None and all(symbol in board for symbol in symbols) else None

    def _stored(self) -> Board:
        return _parsed(cast(bytes | None, self.client.get(f"{self.namespace}:prices")))

    def _renewed(self, symbols: Collection[str], deadline_s: float) -> Board:
        now = self.clock.now()
        board = _with_wanted(self._stored(), symbols, now)
        lasting_ms = self.age_ms
        try:
            found = retried(lambda: self.exchange.fetch_prices(board), deadline_s)
            board |= {
                symbol: _Entry(Price(price, now.market_ms), board[symbol].wanted_ms) for symbol, price in found.items()
            }
            if self.client.getdel(f"{self.namespace}:prices:trouble"):
                log.info("prices_renewed_again")
        except ExchangeError as error:
            if self.client.set(f"{self.namespace}:prices:trouble", str(error), ex=_BOARD_AGE_S, get=True) is None:
                log.warning("prices_not_renewed", error=str(error))
            lasting_ms = _FAILURE_AGE_MS
        with self.client.pipeline(transaction=False) as write:
            write.set(f"{self.namespace}:prices", _text(board), ex=_BOARD_AGE_S)
            write.set(f"{self.namespace}:prices:young", 1, px=lasting_ms)
            write.execute()
        return board


def _with_wanted(board: Board, symbols: Collection[str], now: Now) -> Board:
    """The board with what is wanted now, and without what has not been wanted for long."""
    kept = {symbol: entry for symbol, entry in board.items() if now.wall_ms - entry.wanted_ms < _WANTED_AGE_MS}
    nothing = _Entry(None, now.wall_ms)
    return kept | {symbol: _Entry(board.get(symbol, nothing).price, now.wall_ms) for symbol in symbols}


def _text(board: Board) -> str:
    return json.dumps(
        {
            symbol: [entry.wanted_ms, *([str(entry.price.price), entry.price.at_ms] if entry.price else [])]
            for symbol, entry in board.items()
        }
    )


def _parsed(stored: bytes | None) -> Board:
    """A stored board; an empty one when it is not what was stored."""
    try:
        rows = json.loads(stored or b"{}").items()
        return {
            symbol: _Entry(Price(Decimal(row[1]), int(row[2])) if len(row) > 1 else None, int(row[0]))
            for symbol, row in rows
        }
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        return {}
