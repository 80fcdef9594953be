"""Two clocks: wall time for everything about requests, market time for everything about prices."""

from __future__ import annotations

import time
from dataclasses import dataclass


def wall_ms() -> int:
    """Unix time in milliseconds: signatures, recvWindow and weight windows live on it."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True)
class MarketClock:
    """Market time runs ``speed`` times as fast as wall time from a common origin; at speed 1 they may be the same.

    A restart with the same origin and speed continues the same market time, which is why both can be given.
    """

    origin_wall_ms: int
    origin_market_ms: int
    speed: float

    def market_ms(self, wall: int) -> int:
        """Market time in Unix milliseconds at the given wall time."""
        return self.origin_market_ms + int((wall - self.origin_wall_ms) * self.speed)
