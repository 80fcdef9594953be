"""PURE. Request weight and order counts per window of wall time, per client address.

A client of a market that runs ``speed`` times as fast has to ask that much more often, so the limits grow with it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from simexchange.errors import request_errors

_SECOND_MS, _MINUTE_MS, _DAY_MS = 1_000, 60_000, 86_400_000
_BAN_AFTER = 20  # requests sent in spite of 429 before the address is banned
_MAKER_CREDIT = 5  # as in the examples of Binance's "Spot unfilled order count rules"
_FIRST_BAN_MS = 120_000
_LONGEST_BAN_MS = 3 * _DAY_MS


@dataclass(frozen=True)
class Limits:
    """Binance's limits of today, times ``max(1, speed)``."""

    weight_1m: int
    orders_10s: int
    orders_1d: int
    raw_5m: int

    @classmethod
    def at_speed(cls, speed: float, weight: int = 6_000) -> Limits:
        factor = max(1.0, speed)
        return cls(int(weight * factor), int(100 * factor), int(200_000 * factor), int(61_000 * factor))

    def as_rate_limits(self) -> list[dict[str, object]]:
        """The ``rateLimits`` of exchangeInfo."""
        rows = (
            ("REQUEST_WEIGHT", "MINUTE", 1, self.weight_1m),
            ("ORDERS", "SECOND", 10, self.orders_10s),
            ("ORDERS", "DAY", 1, self.orders_1d),
            ("RAW_REQUESTS", "MINUTE", 5, self.raw_5m),
        )
        return [
            {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
            for kind, interval, number, limit in rows
        ]


@dataclass
class Window:
    """A counter that starts anew at every multiple of ``length_ms``."""

    length_ms: int
    started_ms: int = 0
    used: int = 0

    def add(self, amount: int, now_ms: int) -> int:
        """Count ``amount`` and return the total of the current window."""
        start = now_ms - now_ms % self.length_ms
        if start != self.started_ms:
            self.started_ms, self.used = start, 0
        self.used += amount
        return self.used

    def take_back(self, amount: int) -> None:
        """Count less, but never less than nothing."""
        self.used = max(0, self.used - amount)

    def seconds_left(self, now_ms: int) -> int:
        """Whole seconds until the next window, at least one."""
        return max(1, -(-(self.length_ms - now_ms % self.length_ms) // 1000))


@dataclass
class Client:
    """What one address has used, and whether it is banned."""

    weight: Window = field(default_factory=lambda: Window(_MINUTE_MS))
    raw: Window = field(default_factory=lambda: Window(5 * _MINUTE_MS))
    refused: Window = field(default_factory=lambda: Window(_MINUTE_MS))
    banned_until_ms: int = 0
    bans: int = 0

    def note(self, weight: int, now_ms: int) -> None:
        """Count a request without judging it."""
        self.weight.add(weight, now_ms)
        self.raw.add(1, now_ms)

    def charge(self, weight: int, limits: Limits, now_ms: int) -> None:
        """Count a request. Over the limit: 429, and after twenty more in the same minute 418, for two minutes at
        first and twice as long each time. Both say how long to wait."""
        if now_ms < self.banned_until_ms:
            raise request_errors.banned(self.banned_until_ms, max(1, (self.banned_until_ms - now_ms + 999) // 1000))
        used, raw = self.weight.add(weight, now_ms), self.raw.add(1, now_ms)
        if used <= limits.weight_1m and raw <= limits.raw_5m:
            return
        if self.refused.add(1, now_ms) > _BAN_AFTER:
            length_ms = min(_FIRST_BAN_MS * 2**self.bans, _LONGEST_BAN_MS)
            self.bans += 1
            self.banned_until_ms = now_ms + length_ms
            raise request_errors.banned(self.banned_until_ms, length_ms // 1000)
        if used > limits.weight_1m:
            raise request_errors.too_much_weight(limits.weight_1m, self.weight.seconds_left(now_ms))
        raise request_errors.too_many_requests(limits.raw_5m, self.raw.seconds_left(now_ms))


@dataclass
class OrderCount:
    """New orders of the account that have not traded; a refused order is not counted."""

    ten_seconds: Window = field(default_factory=lambda: Window(10 * _SECOND_MS))
    day: Window = field(default_factory=lambda: Window(_DAY_MS))

    def check(self, limits: Limits, now_ms: int, orders: int = 1) -> None:
        """Raise -1015 (HTTP 429) if so many more orders are too many."""
        if self.ten_seconds.add(0, now_ms) + orders > limits.orders_10s:
            raise request_errors.too_many_orders(limits.orders_10s, "10 SECOND", self.ten_seconds.seconds_left(now_ms))
        if self.day.add(0, now_ms) + orders > limits.orders_1d:
            raise request_errors.too_many_orders(limits.orders_1d, "1 DAY", self.day.seconds_left(now_ms))

    def add(self, now_ms: int, orders: int = 1) -> None:
        self.ten_seconds.add(orders, now_ms)
        self.day.add(orders, now_ms)

    def first_fill(self, is_maker: bool) -> None:
        """An order that begins to trade is not counted any more; one that waited for it earns more room."""
        for window in (self.ten_seconds, self.day):
            window.take_back(_MAKER_CREDIT if is_maker else 1)
