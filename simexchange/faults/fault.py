"""PURE. What a fault is, and how it is read from JSON."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from simexchange.faults.kinds import DATA, KINDS, LASTS_S
from simexchange.faults.wrong_answers import KNOWN_ERRORS
from simexchange.market.timeframes import TIMEFRAMES
from simexchange.requests.fields import BadField, Field, Number, Text, read

_UNIX_MS = Number(None, 10**11, 10**14, whole=True)
_FIELDS: Mapping[str, Field] = {
    "share": Number(1.0, 0, 1),
    "seed": Number(0, 0, 2**63 - 1, whole=True),
    "times": Number(None, 1, 10**9, whole=True),
    "from_ms": _UNIX_MS,
    "until_ms": _UNIX_MS,
    "after_s": Number(None, 0, 10**7),
    "for_s": Number(None, 0, 10**7),
    "after_requests": Number(None, 1, 10**9, whole=True),
}
_WHERE: Mapping[str, Field] = {"endpoint": Text("*"), "symbol": Text(), "interval": Text(), "key": Text()}


@dataclass(frozen=True)
class Ask:
    """What a fault may go by: an endpoint, the symbols named in the request (none when it names none), its interval and
    the key it was sent with."""

    method: str
    path: str
    symbols: frozenset[str] = frozenset()
    interval: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Where:
    """Which requests a fault is about. ``method`` and ``path`` are patterns: * stands for anything."""

    method: str = "*"
    path: str = "*"
    symbol: str | None = None
    interval: str | None = None
    key: str | None = None

    def reaches(self, method: str, path: str) -> bool:
        return fnmatchcase(method, self.method) and fnmatchcase(path, self.path)

    def matches(self, ask: Ask, in_lists: bool) -> bool:
        """``in_lists``: a request for all symbols counts as one for each of them."""
        return (
            self.reaches(ask.method, ask.path)
            and (self.symbol is None or self.symbol in ask.symbols or (in_lists and not ask.symbols))
            and self.interval in (None, ask.interval)
            and self.key in (None, ask.key)
        )


@dataclass(frozen=True)
class Fault:
    """A kind with its parameters, which requests it is about, how often and when it strikes (wall time)."""

    kind: str
    params: Mapping[str, Any]
    where: Where
    share: float = 1.0
    seed: int = 0
    times: int | None = None
    from_ms: int | None = None
    until_ms: int | None = None
    after_s: float | None = None
    for_s: float | None = None
    after_requests: int | None = None

    @property
    def about_data(self) -> bool:
        return self.kind in DATA


@dataclass(frozen=True)
class Known:
    """What exists on this exchange, so that a fault which could never strike is refused."""

    endpoints: Collection[tuple[str, str]]
    symbols: Collection[str]


def read_faults(given: object, known: Known) -> list[Fault]:
    """One fault or a list of them. Raises BadField; then none is to be used."""
    if isinstance(given, list):
        return [_fault(item, known, f"[{number}]") for number, item in enumerate(given)]
    return [_fault(given, known, "")]


def _fault(given: object, known: Known, at: str) -> Fault:
    names = ["what", "where", *_FIELDS]
    if not isinstance(given, dict):
        raise BadField(at or "body", "must be a JSON object, or a list of them", names)
    for name in given:
        if name not in names:
            raise BadField(f"{at}.{name}".lstrip("."), "unknown field", names)
    prefix = f"{at}." if at else ""
    kind, params = _what(given.get("what"), f"{prefix}what")
    where = _where(given.get("where"), known, f"{prefix}where")
    values = read({name: given[name] for name in _FIELDS if name in given}, _FIELDS, at)
    if values["for_s"] is None and values["until_ms"] is None:
        values["for_s"] = LASTS_S.get(kind)
    _check_window(values, prefix)
    return Fault(kind, params, where, **values)


def _what(given: object, at: str) -> tuple[str, dict[str, Any]]:
    """``"reset_after"`` is short for ``{"kind": "reset_after"}``."""
    told = {"kind": given} if isinstance(given, str) else given
    if not isinstance(told, dict) or not isinstance(told.get("kind"), str):
        raise BadField(f"{at}.kind", "must name the kind of fault", list(KINDS))
    kind = told["kind"]
    if kind not in KINDS:
        raise BadField(f"{at}.kind", f"unknown kind {kind!r}", list(KINDS))
    params = read({name: value for name, value in told.items() if name != "kind"}, KINDS[kind], at)
    _check_params(kind, params, at)
    return kind, params


def _check_params(kind: str, params: Mapping[str, Any], at: str) -> None:
    """What one parameter asks of another."""
    begin, end = params.get("from_market_ms"), params.get("to_market_ms")
    if kind == "gap" and begin is None:
        raise BadField(f"{at}.from_market_ms", "a gap begins somewhere", "market time in milliseconds")
    if (begin is None) != (end is None) or (begin is not None and end <= begin):
        raise BadField(f"{at}.to_market_ms", "must be given with from_market_ms and lie after it", "market time in ms")
    if kind == "latency" and params["max_ms"] is not None and params["max_ms"] < params["min_ms"]:
        raise BadField(f"{at}.max_ms", "is less than min_ms", "at least min_ms")
    if kind in ("error", "delayed_acceptance") and params["code"] not in KNOWN_ERRORS and not params.get("msg"):
        raise BadField(f"{at}.code", "has no ready-made text: give a msg", sorted(KNOWN_ERRORS, reverse=True))


def _where(given: object, known: Known, at: str) -> Where:
    """``"POST /api/v3/order"`` is short for ``{"endpoint": "POST /api/v3/order"}``."""
    told = read({"endpoint": given} if isinstance(given, str) else given or {}, _WHERE, at)
    method, path = _pattern(told.pop("endpoint"))
    where = Where(method, path, **told)
    if not any(where.reaches(*endpoint) for endpoint in known.endpoints):
        endpoints = [" ".join(endpoint) for endpoint in known.endpoints]
        raise BadField(f"{at}.endpoint", "matches no endpoint", [*endpoints, "* stands for anything"])
    if where.symbol is not None and where.symbol not in known.symbols:
        raise BadField(f"{at}.symbol", f"unknown symbol {where.symbol!r}", list(known.symbols))
    if where.interval is not None and where.interval not in TIMEFRAMES:
        raise BadField(f"{at}.interval", f"unknown interval {where.interval!r}", list(TIMEFRAMES))
    return where


def _pattern(endpoint: str) -> tuple[str, str]:
    """Method and path of "GET /api/v3/klines", "/api/v3/klines" (any method), "GET" (any path) or "*"."""
    first, _, rest = endpoint.strip().partition(" ")
    if rest:
        return first.upper(), rest.strip()
    return ("*", first) if first.startswith(("/", "*")) else (first.upper(), "*")


def _check_window(values: Mapping[str, Any], prefix: str) -> None:
    for one, other in (("from_ms", "after_s"), ("until_ms", "for_s")):
        if values[one] is not None and values[other] is not None:
            raise BadField(f"{prefix}{other}", f"cannot be given together with {one}", f"either {one} or {other}")
    if None not in (values["from_ms"], values["until_ms"]) and values["until_ms"] <= values["from_ms"]:
        raise BadField(f"{prefix}until_ms", "is not after from_ms", "a time after from_ms")
