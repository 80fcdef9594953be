"""The simulated exchange's own code behind ccxt's HTTP session: no socket, no event loop, everything else is real."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
import requests
from requests.adapters import BaseAdapter
from starlette.requests import Request as Scoped
from starlette.responses import Response as Served

from proof.clock import VirtualClock
from proof.journal import Entry
from proof.prices import BEGIN_MS
from simexchange.clock import MarketClock, wall_ms
from simexchange.endpoints.table import FREE, METERED
from simexchange.exchange import Call, Endpoint, Exchange, KeyPair
from simexchange.faults.fault import Ask
from simexchange.market.listing_changes import ListingChanges
from simexchange.market.market import Market, PriceSource
from simexchange.orders.account import Outcome
from simexchange.orders.ledger import Ledger
from simexchange.orders.ledger_rows import prepare
from simexchange.orders.order import Fill, Order, Status
from simexchange.orders.progress import Progress
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET
from simexchange.requests.limits import Limits
from simexchange.requests.params import Params
from simexchange.requests.stats import Stats
from simexchange.visit import Visit

BASE_URL = "http://exchange.proof"
_ZERO = Decimal(0)
_METERED = {(endpoint.method, endpoint.path): endpoint for endpoint in METERED}
_ENDPOINTS = {(endpoint.method, endpoint.path): endpoint for endpoint in METERED + FREE}


class MemoryLedger(Ledger):
    """A ledger that ends with its process, and tells ``journal`` of everything that happens, as it happens."""

    def __init__(self) -> None:
        self._db = sqlite3.connect(":memory:", isolation_level=None)
        prepare(self._db)
        self.journal: list[Entry] = []

    def record(self, outcome: Outcome) -> None:
        super().record(outcome)
        for order in outcome.orders:
            fills = tuple(fill for fill in outcome.fills if fill.order_id == order.order_id)
            self.journal.append(Entry(wall_ms(), order, fills))


class Venue:
    """One exchange with one account. ``directory`` None keeps its ledger in memory.

    ``strike``: what the way to the exchange does to a request. It gets the ``Turn`` and returns the answer, or raises
    what requests raises; the default lets it through.
    """

    def __init__(
        self,
        clock: VirtualClock,
        prices: PriceSource,
        deposits: Mapping[str, Decimal],
        directory: Path | None = None,
        **settings: Any,
    ) -> None:
        self.clock = clock
        self.strike: Callable[[Turn], requests.Response] = lambda turn: turn.serve()
        ledger = MemoryLedger() if directory is None else Ledger(directory)
        self.exchange = Exchange(
            clock=MarketClock(BEGIN_MS, BEGIN_MS, 1.0),
            market=Market(prices, ListingChanges(ledger.changes())),
            ledger=ledger,
            account=ledger.open_account(deposits),
            limits=Limits.at_speed(1),
            key=KeyPair(DEMO_KEY, DEMO_SECRET),
            stats=Stats(BEGIN_MS),
            progress=Progress(ledger.matched()),
            **{"fee_rate": Decimal("0.001"), **settings},
        )
        self.exchange.endpoints = tuple(_METERED)

    def attach(self, session: requests.Session) -> None:
        """Let a session's requests to ``BASE_URL`` arrive here."""
        session.trust_env = False
        session.mount(BASE_URL, Door(self))

    def ask(self, method: str, path: str, **params: object) -> Any:
        """One of the exchange's endpoints, without key, faults or limits: what others do at the exchange. Raises what
        the endpoint raises."""
        now_ms = self.clock.now_ms
        prefix = "" if path.startswith("/") else "/api/v3/"
        call = Call(Params(urlencode(params)), now_ms, now_ms)
        return _ENDPOINTS[method, prefix + path].answer(self.exchange, call)

    def journal(self) -> list[Entry]:
        """Everything that happened to orders, in its order; from a ledger on disk, as well as its times tell."""
        ledger = self.exchange.ledger
        return ledger.journal if isinstance(ledger, MemoryLedger) else _told_by(self.orders(), self.fills())

    def orders(self) -> list[Order]:
        """Every order that ever was, oldest first."""
        return self.exchange.ledger.everything()[0]

    def fills(self) -> list[Fill]:
        """Every fill that ever was, oldest first."""
        return self.exchange.ledger.everything()[1]

    def close(self) -> None:
        self.exchange.ledger.close()


def _told_by(orders: list[Order], fills: list[Fill]) -> list[Entry]:
    """Every order when it came, with the fills that it had at once, and again when something was last heard of it."""
    told = []
    for order in orders:
        own = [fill for fill in fills if (fill.symbol, fill.order_id) == order.key]
        first = tuple(fill for fill in own if fill.time_ms <= order.time_ms)
        if order.updated_ms > order.time_ms:
            told.append(Entry(order.time_ms, replace(order, status=Status.NEW, executed=_ZERO), first))
            told.append(Entry(order.updated_ms, order, tuple(fill for fill in own if fill not in first)))
        else:
            told.append(Entry(order.updated_ms, order, tuple(own)))
    return sorted(told, key=lambda entry: entry.at_ms)


class Turn:
    """One request on its way to the exchange."""

    def __init__(self, venue: Venue, request: requests.PreparedRequest, timeout_s: float) -> None:
        self.venue, self.request, self.timeout_s = venue, request, timeout_s
        split = urlsplit(str(request.url))
        self.method, self.path, self._query = str(request.method), split.path, split.query
        body = request.body or ""
        self._body = body.decode() if isinstance(body, bytes) else str(body)

    @property
    def endpoint(self) -> Endpoint:
        return _METERED[self.method, self.path]

    @property
    def name(self) -> str:
        """``POST /api/v3/order``."""
        return f"{self.method} {self.path}"

    @property
    def params(self) -> dict[str, str]:
        return Params(self._query, self._body).sent

    def visit(self) -> Visit:
        """The request as it arrives now, with what the exchange's own faults about data do to it."""
        headers = [(name.lower().encode(), str(value).encode()) for name, value in self.request.headers.items()]
        scope = {
            "type": "http",
            "method": self.method,
            "path": self.path,
            "query_string": self._query.encode(),
            "headers": headers,
            "client": ("proof", 0),
        }
        arrived_ms = wall_ms()
        visit = Visit(self.venue.exchange, self.endpoint, Scoped(scope), self._body, arrived_ms)
        faults = self.venue.exchange.faults
        return visit if faults.none else replace(visit, met=faults.meet(self.ask(), arrived_ms))

    def ask(self) -> Ask:
        return Ask(self.method, self.path)

    def serve(self) -> requests.Response:
        """Carry it out, and answer."""
        return self.answer(self.visit().serve())

    def serve_later(self, delay_ms: int) -> None:
        """Carry it out when so much time has passed, whatever becomes of the client; it was in time when it came."""
        visit = self.visit()
        self.venue.clock.at(visit.arrived_ms + delay_ms, visit.serve)

    def serve_as_of(self, arrived_ms: int) -> None:
        """Carry it out now, a request that came in at another moment."""
        replace(self.visit(), arrived_ms=arrived_ms).serve()

    def answer(self, served: Served) -> requests.Response:
        return self.respond(served.status_code, bytes(served.body), dict(served.headers))

    def respond(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> requests.Response:
        """An answer, whoever gives it."""
        response = requests.Response()
        response.status_code, response.url, response.request = status, str(self.request.url), self.request
        response.headers.update(headers or {})
        response.encoding = "utf-8"
        response._content = content
        return response

    def json(self, answer: object, status: int = 200) -> requests.Response:
        return self.respond(status, orjson.dumps(answer), {"Content-Type": "application/json;charset=UTF-8"})


class Door(BaseAdapter):
    """Where requests leave the session, and the exchange begins."""

    def __init__(self, venue: Venue) -> None:
        super().__init__()
        self._venue = venue

    def send(self, request: requests.PreparedRequest, *_: Any, **options: Any) -> requests.Response:
        timeout = options.get("timeout") or 60.0
        return self._venue.strike(
            Turn(self._venue, request, float(timeout[1] if isinstance(timeout, tuple) else timeout))
        )

    def close(self) -> None:
        """There is nothing to close."""
