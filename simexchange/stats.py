"""How the exchange is used: what a client's tests and its operator want to know about the traffic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Stats:
    """Counts since ``since_ms`` (wall time). Requests to /sim are not among them."""

    since_ms: int
    endpoints: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    klines: Counter[str] = field(default_factory=Counter)
    weight: int = 0
    candle_requests: int = 0

    def count(self, endpoint: str, weight: int, status: int) -> None:
        self.endpoints[endpoint] += 1
        self.statuses[status] += 1
        self.weight += weight

    def count_klines(self, symbol: str, interval: str) -> None:
        self.candle_requests += 1
        self.klines[f"{symbol} {interval}"] += 1

    def report(self) -> dict[str, object]:
        return {
            "since": self.since_ms,
            "requests": self.endpoints.total(),
            "candle_requests": self.candle_requests,
            "weight": self.weight,
            "endpoints": dict(self.endpoints),
            "statuses": {str(status): number for status, number in self.statuses.items()},
            "klines": dict(self.klines),
        }
