"""An exchange's request limits, and how the platform shares them out. PURE.

Limits count in fixed windows of the exchange's clock: request weight and raw requests per address, orders per account.
Each kind of request is let through while a window is used up to its own share only, so that what is urgent still has
room when what is not has used its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Priority(StrEnum):
    """What a request is for, the most urgent first."""

    EXITS = "exits"  # exits, cancels, questions about orders, and the quotes they need
    ENTRIES = "entries"  # orders that open a position
    PRICES = "prices"  # live prices of everything, symbols, the exchange's clock
    CANDLES = "candles"  # closed candles that a tick waits for
    HISTORY = "history"  # downloads that nobody waits for


SHARES: dict[Priority, float] = {
    Priority.EXITS: 0.9,  # the rest is for other programs on the address, and for what is on its way at a window's edge
    Priority.ENTRIES: 0.8,
    Priority.PRICES: 0.75,
    Priority.CANDLES: 0.6,
    Priority.HISTORY: 0.4,
}
"""The share of a limit up to which each is let through."""


class Counted(StrEnum):
    """What a limit counts."""

    WEIGHT = "weight"  # request weight, per address
    REQUESTS = "requests"  # requests of any weight, per address
    ORDERS = "orders"  # new orders, per account


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most ``limit`` in every window of ``window_ms`` (wall time; windows begin at its multiples)."""

    counted: Counted
    window_ms: int
    limit: int


UNTIL_KNOWN = (RateLimit(Counted.WEIGHT, 60_000, 1_200),)
"""The smallest budget that Binance has ever given, until it has told today's."""

_BINANCE_KINDS = {"REQUEST_WEIGHT": Counted.WEIGHT, "RAW_REQUESTS": Counted.REQUESTS, "ORDERS": Counted.ORDERS}
_BINANCE_UNITS_MS = {"SECOND": 1_000, "MINUTE": 60_000, "HOUR": 3_600_000, "DAY": 86_400_000}


def from_binance(listed: Iterable[Mapping[str, Any]]) -> tuple[RateLimit, ...]:
    """The ``rateLimits`` of exchangeInfo; kinds and units that this program has never heard of are passed over.

    Raises KeyError, TypeError or ValueError when they are not what Binance documents.
    """
    return tuple(
        RateLimit(
            _BINANCE_KINDS[row["rateLimitType"]],
            _BINANCE_UNITS_MS[row["interval"]] * int(row["intervalNum"]),
            int(row["limit"]),
        )
        for row in listed
        if row["rateLimitType"] in _BINANCE_KINDS and row["interval"] in _BINANCE_UNITS_MS
    )


def text_of_limits(limits: Iterable[RateLimit]) -> str:
    """For other processes; ``limits_of_text`` reads it."""
    return " ".join(f"{rule.counted}:{rule.window_ms}:{rule.limit}" for rule in limits)


def limits_of_text(text: bytes) -> tuple[RateLimit, ...]:
    """What ``text_of_limits`` wrote; nothing for anything else, as another version of this program may write it."""
    try:
        rows = [row.split(":") for row in text.decode().split()]
        return tuple(RateLimit(Counted(counted), int(window_ms), int(limit)) for counted, window_ms, limit in rows)
    except ValueError:
        return ()


def from_pace(ms_between_requests: float) -> tuple[RateLimit, ...]:
    """The limit of an exchange that names a pace: so many milliseconds from one request to the next."""
    return (RateLimit(Counted.REQUESTS, 60_000, max(1, int(60_000 / max(ms_between_requests, 1)))),)


@dataclass(frozen=True, slots=True)
class Cost:
    """What one request counts for. ``account`` names whose orders they are, where ``orders`` is not 0."""

    weight: int
    orders: int = 0
    account: str = ""


@dataclass(frozen=True, slots=True)
class Claim:
    """An amount to be added to one window's counter, if that keeps it within the ceiling.

    ``ends_in_ms``: milliseconds from now until the window is over.
    """

    window: str
    amount: int
    ceiling: int
    ends_in_ms: int


_EDGE_MS = 1_000
"""A request sent so shortly before a window ends may be counted in the next one: it claims its place in both."""


def claims(limits: Iterable[RateLimit], priority: Priority, cost: Cost, exchange_ms: int) -> list[Claim]:
    """What a request has to claim at ``exchange_ms`` (wall time on the exchange's clock, UTC milliseconds)."""
    found = []
    for rule in limits:
        amount = {Counted.WEIGHT: cost.weight, Counted.REQUESTS: 1, Counted.ORDERS: cost.orders}[rule.counted]
        if not amount:
            continue
        whose = f":{cost.account}" if rule.counted is Counted.ORDERS else ""
        ceiling = int(rule.limit * SHARES[priority])
        edge_ms = min(_EDGE_MS, rule.window_ms // 10)
        for number in sorted({exchange_ms // rule.window_ms, (exchange_ms + edge_ms) // rule.window_ms}):
            name = f"{rule.counted}{whose}:{rule.window_ms}:{number}"
            found.append(Claim(name, amount, ceiling, (number + 1) * rule.window_ms - exchange_ms))
    return found


def weight_window(limits: Iterable[RateLimit], exchange_ms: int) -> str | None:
    """The name of the window that a used-weight header speaks of; None where weight is not limited."""
    rule = next((rule for rule in limits if rule.counted is Counted.WEIGHT), None)
    return None if rule is None else f"{rule.counted}:{rule.window_ms}:{exchange_ms // rule.window_ms}"
