"""How far the exchange's clock is from ours: measured by one process, known to all."""

import json
from dataclasses import dataclass
from typing import cast

import redis

from market.clock import Clock
from market.clock_offset import Offset
from market.exchange import MarketData, Transient
from market.retry import retried
from market.single_flight import SingleFlight

_WALL = Clock()


@dataclass(frozen=True, slots=True)
class ExchangeClock:
    """One question per ``age_ms`` (wall milliseconds) for the whole fleet."""

    exchange: MarketData
    client: redis.Redis
    namespace: str
    flight: SingleFlight
    age_ms: int

    def offset(self, deadline_s: float) -> Offset:
        """The offset, at most ``age_ms`` old. Raises Transient or Rejected when it cannot be had, redis.RedisError."""
        found = self.flight.run(
            f"{self.namespace}:clock:lease",
            find=self._known,
            work=lambda renew: self._measured(deadline_s),
            deadline_s=deadline_s,
        )
        if found is None:
            raise Transient("another process has been asking for the exchange's time for too long")
        return found

    def _known(self) -> Offset | None:
        stored = cast(bytes | None, self.client.get(f"{self.namespace}:clock"))
        try:
            return None if stored is None else Offset(*(int(part) for part in json.loads(stored)))
        except (ValueError, TypeError):
            return None

    def _measured(self, deadline_s: float) -> Offset:
        offset = retried(lambda: measure(self.exchange), deadline_s)
        figures = json.dumps([offset.ahead_ms, offset.within_ms, offset.measured_ms])
        self.client.set(f"{self.namespace}:clock", figures, px=self.age_ms)
        return offset


def measure(exchange: MarketData) -> Offset:
    """Ask once: the exchange's time belongs to the middle of the question. Raises Transient or Rejected."""
    sent_ms = _WALL.now().wall_ms
    told_ms = exchange.fetch_time()
    back_ms = _WALL.now().wall_ms
    if told_ms is None:
        return Offset(0, 0, back_ms)
    return Offset(told_ms - (sent_ms + back_ms) // 2, (back_ms - sent_ms + 1) // 2, back_ms)
