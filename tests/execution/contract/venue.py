"""What the contract asks of a place that orders go to, and the words that its scenarios are written in.

Every symbol costs 100 before anything happens to it, in steps of 0.01, and is bought and sold in steps of 0.001.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from itertools import count
from typing import Any, ClassVar, Protocol

from execution.executors import BaseExecutor
from market.clock import Now
from market.exchange import Transient
from market.orders import OrderReport, OrderRequest, OrderType, ReportStatus, Side

D = Decimal
CALM = "CALM/USDT"  # its price stands still
SHUT = "SHUT/USDT"  # so does this one's; it is the one to be halted
NO_EUR = "CALM/EUR"  # the account has no EUR
NO_BASE = "NONE/USDT"  # nor any NONE
WITH_BNB = "CALM/FDUSD"  # fees are paid in BNB, which has a price in FDUSD alone
HELD = {"USDT": D(1_000_000), "FDUSD": D(100_000), "CALM": D(10_000), "SHUT": D(100), "BNB": D(1000)}
BNB_PRICE = D(600)
MAX_AMOUNT = D(432)
MORE_THAN_THE_BOOK = D(400)
NO_MORE = frozenset({ReportStatus.FILLED, ReportStatus.CANCELED, ReportStatus.EXPIRED, ReportStatus.REJECTED})
_numbers = count(1)


class Course(Protocol):
    """A symbol whose price is about to move."""

    symbol: str

    def step(self) -> None:
        """Come back once it has made its next step: to 99, 98, 100 (falling), or to 101, 102, 100 (rising)."""


class Venue(Protocol):
    """One place that orders go to, with its own prices."""

    has_network: ClassVar[bool]
    """Whether something lies between us and it: requests and answers are lost and late, and absence takes time."""

    refuses_known_names: ClassVar[bool]
    """Whether the name of an order that has ended cannot be used again."""

    @property
    def executor(self) -> BaseExecutor: ...

    def now(self) -> Now: ...

    def falling(self) -> Course: ...

    def rising(self) -> Course: ...

    def halt(self, symbol: str) -> None: ...

    def resume(self, symbol: str) -> None: ...

    def takes_fees_in(self, currency: str) -> OrderRequest:
        """An order that will pay its fee in it: "base", "quote" or BNB."""

    def fault(self, what: Any, where: str, **more: Any) -> None:
        """Something goes wrong on the way."""

    def restart(self) -> None:
        """Our process ends, and a new one has a new executor."""

    def restart_exchange(self) -> None:
        """Theirs is killed and comes back."""

    def orders_named(self, client_order_id: str) -> int:
        """How many orders of that name it ever took in."""


class Session:
    """One test's orders at a venue: sent, asked about, ended."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self._sent: dict[str, Now] = {}
        self._requests: list[OrderRequest] = []

    def submit(self, request: OrderRequest) -> OrderReport:
        now = self.venue.now()
        self._sent.setdefault(request.client_order_id, now)
        self._requests.append(request)
        return self.venue.executor.submit(request, now)

    def query(self, request: OrderRequest) -> OrderReport:
        now = self.venue.now()
        return self.venue.executor.query(request, self._sent.get(request.client_order_id, now), now)

    def query_later(self, request: OrderRequest) -> OrderReport:
        """Ask about an order as if it had been sent more than half a minute ago."""
        now = self.venue.now()
        return self.venue.executor.query(request, replace(now, wall_ms=now.wall_ms - 31_000), now)

    def cancel(self, request: OrderRequest) -> OrderReport:
        return self.venue.executor.cancel(request, self.venue.now())

    def query_until(self, request: OrderRequest, done: Callable[[OrderReport], bool], looks: int = 10) -> OrderReport:
        """Ask again and again. Fails when it never comes to that."""
        for _ in range(looks):
            report = self.query(request)
            if done(report):
                return report
        raise AssertionError(f"after {looks} looks it is {report}")

    def clear(self) -> None:
        """End whatever a test has left open."""
        for request in self._requests:
            with suppress(Transient):
                self.cancel(request)


def order(side: Side = Side.BUY, amount: str | Decimal = "0.1", symbol: str = CALM, **more: Any) -> OrderRequest:
    """A market order under a new name."""
    kind = more.pop("type", OrderType.MARKET)
    return OrderRequest(f"c-{next(_numbers)}", symbol, side, kind, D(amount), **more)


def buy_limit(price: str, amount: str = "0.1", symbol: str = CALM) -> OrderRequest:
    return order(Side.BUY, amount, symbol, type=OrderType.LIMIT, price=D(price))


def sell_limit(price: str, amount: str = "0.1", symbol: str = CALM) -> OrderRequest:
    return order(Side.SELL, amount, symbol, type=OrderType.LIMIT, price=D(price))


def sell_stop(stop: str, limit: str, amount: str = "0.1", symbol: str = CALM) -> OrderRequest:
    return order(Side.SELL, amount, symbol, type=OrderType.STOP_LOSS_LIMIT, price=D(limit), stop_price=D(stop))


def total(report: OrderReport) -> Decimal:
    """What its fills add up to, in base."""
    return sum((fill.amount for fill in report.fills), D(0))


def require_whole(request: OrderRequest, report: OrderReport) -> None:
    """The report of an order that was filled is about that order, complete, and no better or worse than can be."""
    assert (report.client_order_id, report.status) == (request.client_order_id, ReportStatus.FILLED)
    assert report.exchange_order_id
    assert total(report) == request.amount
    assert len({fill.trade_id for fill in report.fills}) == len(report.fills)
    assert list(report.fills) == sorted(report.fills, key=lambda fill: fill.executed_at)
    assert all(fill.fee >= 0 and fill.executed_at.tzinfo is not None for fill in report.fills)
