"""What can go wrong between us and the exchange, each fault under a name, and the script that lets them strike.

A fault says of one request what becomes of it: carried out or not, answered or not. Times are virtual: a client that
waits for nothing waits its whole timeout, and what the exchange accepts late it accepts later on the same clock.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random

import orjson
import requests
from requests.exceptions import ChunkedEncodingError, ConnectionError, ReadTimeout, SSLError

from proof.journal import name_of
from proof.venue import Turn, Venue
from simexchange.faults import wrong_answers
from simexchange.faults.fault import Fault as DataFault
from simexchange.faults.fault import Where
from simexchange.faults.wrong_answers import KNOWN_ERRORS


class On(StrEnum):
    """What kind of request a fault strikes."""

    PLACE = "place"  # a new order
    CANCEL = "cancel"  # the end of an open order
    FIND = "find"  # the question about one order
    TRADES = "trades"  # the account's trades
    READ = "read"  # every signed question, these two among them
    ANY = "any"  # everything


_KIND_OF = {
    "POST /api/v3/order": On.PLACE,
    "DELETE /api/v3/order": On.CANCEL,
    "GET /api/v3/order": On.FIND,
    "GET /api/v3/myTrades": On.TRADES,
}


def kind_of(turn: Turn) -> On:
    """The most particular word for a request; ANY for what needs no key."""
    return _KIND_OF.get(turn.name) or (On.READ if turn.endpoint.signed else On.ANY)


def reaches(on: On, kind: On) -> bool:
    """Whether a fault on ``on`` strikes a request of ``kind``."""
    return on in (kind, On.ANY) or (on is On.READ and kind in (On.FIND, On.TRADES))


_PURPOSES = {"e": "entry", "x": "exit", "s": "stop"}


def moment_of(turn: Turn) -> str:
    """Which part of an order's life a request belongs to."""
    sent = turn.params
    name = name_of(sent.get("newClientOrderId") or sent.get("origClientOrderId") or "")
    return _PURPOSES[name.kind] if name else "reading"


Strike = Callable[[Turn], requests.Response]


def _timeout(turn: Turn) -> requests.Response:
    turn.venue.clock.advance(round(turn.timeout_s * 1000))
    raise ReadTimeout("no answer in time")


def _timeout_before(turn: Turn) -> requests.Response:
    return _timeout(turn)


def _timeout_after(turn: Turn) -> requests.Response:
    turn.serve()
    return _timeout(turn)


def _reset_before(turn: Turn) -> requests.Response:
    raise ConnectionError("connection reset by peer")


def _reset_after(turn: Turn) -> requests.Response:
    turn.serve()
    raise ConnectionError("connection reset by peer")


def _ssl_after(turn: Turn) -> requests.Response:
    turn.serve()
    raise SSLError("decryption failed or bad record mac")


def _truncated(turn: Turn) -> requests.Response:
    turn.serve()
    raise ChunkedEncodingError("the answer breaks off")


def _cut(turn: Turn) -> requests.Response:
    """Half of the body, under a Content-Length that says so."""
    whole = turn.serve()
    return turn.respond(whole.status_code, whole.content[: len(whole.content) // 2], dict(whole.headers))


def _page(status: int, body: str, after: bool) -> Strike:
    content, media_type = wrong_answers.page(status, body)

    def strike(turn: Turn) -> requests.Response:
        if after:
            turn.serve()
        return turn.respond(status, content, {"Content-Type": media_type})

    return strike


def _error(code: int, after: bool = False, retry_after_s: int | None = None, status: int | None = None) -> Strike:
    known = KNOWN_ERRORS[code]

    def strike(turn: Turn) -> requests.Response:
        if after:
            turn.serve()
        answer = turn.json({"code": known.code, "msg": known.msg}, status or known.status)
        if retry_after_s is not None:
            answer.headers["Retry-After"] = str(retry_after_s)
        return answer

    return strike


def _banned(turn: Turn) -> requests.Response:
    until_ms = turn.venue.clock.now_ms + 120_000
    text = f"Way too much request weight used; IP banned until {until_ms}. Please use WebSocket Streams."
    answer = turn.json({"code": -1003, "msg": text}, 418)
    answer.headers["Retry-After"] = "120"
    return answer


def _late_acceptance(turn: Turn) -> requests.Response:
    turn.serve_later(4_000)
    raise ConnectionError("connection reset by peer")


def _late_acceptance_in_silence(turn: Turn) -> requests.Response:
    turn.serve_later(9_000)
    return _timeout(turn)


def _late_acceptance_1007(turn: Turn) -> requests.Response:
    turn.serve_later(4_000)
    return _error(-1007)(turn)


def _no_trades_yet(turn: Turn) -> requests.Response:
    whole = turn.serve()
    return turn.json([]) if whole.status_code == 200 else whole


def _first_trade_only(turn: Turn) -> requests.Response:
    whole = turn.serve()
    return turn.json(orjson.loads(whole.content)[:1]) if whole.status_code == 200 else whole


def _trades_twice_and_backwards(turn: Turn) -> requests.Response:
    whole = turn.serve()
    if whole.status_code != 200:
        return whole
    rows = orjson.loads(whole.content)
    return turn.json([*reversed(rows), *rows])


def _not_found(turn: Turn) -> requests.Response:
    """The memory does not know it yet, and the database neither."""
    return _error(-2013)(turn)


@dataclass(frozen=True)
class FaultKind:
    """A row of the table. It strikes up to ``times`` requests, or all of ``for_s`` virtual seconds from the first on;
    ``data`` is a fault that the exchange itself has, as its own code makes it."""

    name: str
    on: On
    strike: Strike | None = None
    times: int = 1
    for_s: int | None = None
    data: tuple[str, Mapping[str, object]] | None = None


def _both(name: str, strike_before: Strike, strike_after: Strike, on: On = On.PLACE) -> list[FaultKind]:
    return [FaultKind(f"{name}, not executed", on, strike_before), FaultKind(f"{name}, executed", on, strike_after)]


def _pages() -> list[FaultKind]:
    found = []
    for status, body in ((500, "html"), (502, "html"), (503, "html"), (503, "empty"), (504, "html"), (503, "json")):
        found += _both(f"{status} {body}", _page(status, body, False), _page(status, body, True))
    return found


def _codes() -> list[FaultKind]:
    found = []
    for code in (-1000, -1001, -1006, -1007):
        found += _both(str(code), _error(code), _error(code, after=True))
    return found


KINDS: tuple[FaultKind, ...] = (
    *_both("timeout", _timeout_before, _timeout_after),
    *_both("reset", _reset_before, _reset_after),
    FaultKind("TLS broken, executed", On.PLACE, _ssl_after),
    *_pages(),
    *_codes(),
    FaultKind("200 html, executed", On.PLACE, _page(200, "html", True)),
    FaultKind("body cut off", On.PLACE, _truncated),
    FaultKind("body cut off, length matches", On.PLACE, _cut),
    FaultKind("accepted 4 s late, reset", On.PLACE, _late_acceptance),
    FaultKind("accepted 9 s late, timeout", On.PLACE, _late_acceptance_in_silence),
    FaultKind("accepted 4 s late, -1007", On.PLACE, _late_acceptance_1007),
    FaultKind("-2010 insufficient balance", On.PLACE, _error(-2010)),
    FaultKind("-1013 NOTIONAL", On.PLACE, _error(-1013)),
    FaultKind("-1021 clock", On.PLACE, _error(-1021), times=2),
    FaultKind("-1015 too many orders", On.PLACE, _error(-1015, retry_after_s=5)),
    *_both("cancel: timeout", _timeout_before, _timeout_after, On.CANCEL),
    *_both("cancel: reset", _reset_before, _reset_after, On.CANCEL),
    *_both("cancel: 502 html", _page(502, "html", False), _page(502, "html", True), On.CANCEL),
    *_both("cancel: -1007", _error(-1007), _error(-1007, after=True), On.CANCEL),
    FaultKind("query: -2013 once", On.FIND, _not_found),
    FaultKind("query: -2013 three times", On.FIND, _not_found, times=3),
    FaultKind("query: fails for 10 minutes", On.FIND, _reset_before, for_s=600),
    FaultKind("query: -2013 while young", On.FIND, data=("query_lag", {"lag_ms": 8_000}), for_s=300),
    FaultKind("trades: late", On.TRADES, _no_trades_yet, times=2),
    FaultKind("trades: the first only", On.TRADES, _first_trade_only, times=2),
    FaultKind("trades: twice and backwards", On.TRADES, _trades_twice_and_backwards, times=4),
    FaultKind("all: timeout for 60 s", On.ANY, _timeout_before, for_s=60),
    FaultKind("all: 503 for 60 s", On.ANY, _page(503, "html", False), for_s=60),
    FaultKind("all: reset for 10 minutes", On.ANY, _reset_before, for_s=600),
    FaultKind("all: 429 Retry-After 7", On.ANY, _error(-1003, retry_after_s=7, status=429)),
    FaultKind("all: 418 for 120 s", On.ANY, _banned),
    FaultKind("all: -2015 for 60 s", On.READ, _error(-2015), for_s=60),
    FaultKind("clock 6 s ahead", On.ANY, data=("clock_skew", {"skew_ms": 6_000, "drift_ms_per_s": 0.0}), for_s=60),
    FaultKind("clock 6 s behind", On.ANY, data=("clock_skew", {"skew_ms": -6_000, "drift_ms_per_s": 0.0}), for_s=60),
)
BY_NAME = {kind.name: kind for kind in KINDS}


@dataclass
class Present:
    """A fault that is at work: from when on, and what it has done so far."""

    kind: FaultKind
    from_ms: int
    struck: int = 0
    first_ms: int | None = None

    def strikes(self, kind: On, now_ms: int) -> bool:
        if self.kind.strike is None or now_ms < self.from_ms or not reaches(self.kind.on, kind):
            return False
        if self.kind.for_s is None:
            return self.struck < self.kind.times
        return self.first_ms is None or now_ms < self.first_ms + self.kind.for_s * 1000


@dataclass
class Script:
    """The faults of one history on the way to one venue. ``struck`` counts per row: the fault and what it struck.

    ``around`` is told of every request before it leaves and after it came back: the moments at which others may act.
    """

    venue: Venue
    random: Random
    around: Callable[[Turn, bool], None] = lambda turn, back: None
    present: list[Present] = field(default_factory=list)
    struck: Counter[tuple[str, str]] = field(default_factory=Counter)
    stopped: bool = False

    def plan(self, kinds: Sequence[tuple[FaultKind, int]]) -> None:
        """Faults and the moments from which on they may strike."""
        for kind, from_ms in kinds:
            if kind.data is None:
                self.present.append(Present(kind, from_ms))
                continue
            name, params = kind.data
            where = Where("GET", "/api/v3/order") if kind.on is On.FIND else Where()
            fault = DataFault(name, params, where, from_ms=from_ms, until_ms=from_ms + (kind.for_s or 60) * 1000)
            self.venue.exchange.faults.add([fault], self.venue.clock.now_ms)

    def stop(self) -> None:
        """From now on nothing goes wrong any more."""
        self.stopped = True
        self.venue.exchange.faults.delete()

    def strike(self, turn: Turn) -> requests.Response:
        """What ``Venue.strike`` is."""
        self.around(turn, False)
        self.venue.clock.advance(self.random.randint(1, 60))
        kind = kind_of(turn)
        fault = self._fault(kind, turn)
        try:
            if fault is None or fault.kind.strike is None:
                return turn.serve()
            return fault.kind.strike(turn)
        finally:
            self.venue.clock.advance(self.random.randint(1, 60))
            self.around(turn, True)

    def _fault(self, kind: On, turn: Turn) -> Present | None:
        now_ms = self.venue.clock.now_ms
        if self.stopped:
            return None
        fault = next((one for one in self.present if one.strikes(kind, now_ms)), None)
        if fault is not None:
            fault.struck += 1
            fault.first_ms = now_ms if fault.first_ms is None else fault.first_ms
            self.struck[fault.kind.name, moment_of(turn)] += 1
        return fault
