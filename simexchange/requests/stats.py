"""How the exchange is used: what a client's tests and its operator want to know about the traffic."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

_SLOTS_KEPT = 200


@dataclass
class Slot:
    """Candle requests while one candle of an interval was being made."""

    requests: int = 0
    symbols: set[str] = field(default_factory=set)


@dataclass
class Stats:
    """Counts since ``since_ms`` (wall time). Requests to /sim are not among them.

    A status is what the exchange made of the request; a fault may have kept the client from seeing it. 0 stands for a
    request that a fault left without an answer and did not carry out.
    """

    since_ms: int
    endpoints: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    klines: Counter[str] = field(default_factory=Counter)
    slots: dict[str, OrderedDict[int, Slot]] = field(default_factory=dict)
    weight: int = 0
    candle_requests: int = 0
    peak_weight_1m: int = 0
    peak_requests_1s: int = 0
    second: int = 0
    in_second: int = 0

    def count(self, endpoint: str, weight: int, status: int, now_ms: int, used_1m: int) -> None:
        """One request: its weight, and ``used_1m``, what its client has used in the wall minute with it."""
        self.endpoints[endpoint] += 1
        self.statuses[status] += 1
        self.weight += weight
        self.peak_weight_1m = max(self.peak_weight_1m, used_1m)
        if now_ms // 1000 != self.second:
            self.second, self.in_second = now_ms // 1000, 0
        self.in_second += 1
        self.peak_requests_1s = max(self.peak_requests_1s, self.in_second)

    def count_klines(self, symbol: str, interval: str, slot: int) -> None:
        """A request for candles; ``slot`` is market time // the interval's length."""
        self.candle_requests += 1
        self.klines[f"{symbol} {interval}"] += 1
        slots = self.slots.setdefault(interval, OrderedDict())
        counted = slots.setdefault(slot, Slot())
        counted.requests += 1
        counted.symbols.add(symbol)
        while len(slots) > _SLOTS_KEPT:
            slots.popitem(last=False)

    def report(self) -> dict[str, object]:
        return {
            "since": self.since_ms,
            "requests": self.endpoints.total(),
            "candle_requests": self.candle_requests,
            "weight": self.weight,
            "peak_weight_1m": self.peak_weight_1m,
            "peak_requests_1s": self.peak_requests_1s,
            "answers_429": self.statuses[429],
            "answers_418": self.statuses[418],
            "endpoints": dict(self.endpoints),
            "statuses": {str(status): number for status, number in self.statuses.items() if number},
            "klines": dict(self.klines),
            "klines_by_slot": {
                interval: {
                    str(slot): {"requests": counted.requests, "symbols": len(counted.symbols)}
                    for slot, counted in slots.items()
                }
                for interval, slots in self.slots.items()
            },
        }
