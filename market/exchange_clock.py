"""How far the exchange's clock is from ours: measured by one process, known to all."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, cast

import redis

from market.clock import Clock
from market.clock_offset import Offset
from market.exchange import ExchangeError, MarketData, Transient
from market.retry import retried
from market.single_flight import SingleFlight

_WALL = Clock()
EXACT_ENOUGH_MS = 250
"""A measurement that is less exact says whether clocks are in step, and corrects nothing."""

_LAST_AGE_S = 86_400
_MOST_QUESTIONS = 3  # for one measurement, while the answers are slow


class TellsTime(Protocol):
    """Whoever can be asked for the exchange's clock."""

    def fetch_time(self) -> int | None:
        """UTC milliseconds of wall time; None where it is not told. Raises Transient or Rejected."""


@dataclass(frozen=True, slots=True)
class ExchangeClock:
    """One measurement per ``age_ms`` (wall milliseconds) for the whole fleet. ``on_offset`` hears of each exact one
    made here."""

    exchange: MarketData
    client: redis.Redis
    namespace: str
    flight: SingleFlight
    age_ms: int
    on_offset: Callable[[int], None]

    def offset(self, deadline_s: float) -> Offset:
        """The offset, at most ``age_ms`` old. Raises Transient or Rejected when it cannot be had, redis.RedisError."""
        found = self.flight.run(
            f"{self.namespace}:clock:lease",
            find=self._fresh,
            work=lambda renew: self._measured(deadline_s),
            deadline_s=deadline_s,
        )
        if found is None:
            raise Transient("another process has been asking for the exchange's time for too long")
        return found

    def known_ahead_ms(self) -> int:
        """How far the exchange's clock was ahead when somebody measured last, 0 when nobody has. Asks Redis alone."""
        known = self._known(f"{self.namespace}:clock:last")
        return 0 if known is None else known.ahead_ms

    def _fresh(self) -> Offset | None:
        return self._known(f"{self.namespace}:clock")

    def _known(self, key: str) -> Offset | None:
        stored = cast(bytes | None, self.client.get(key))
        try:
            return None if stored is None else Offset(*(int(part) for part in json.loads(stored)))
        except (ValueError, TypeError):
            return None

    def _measured(self, deadline_s: float) -> Offset:
        offset = measure(self.exchange, deadline_s)
        figures = json.dumps([offset.ahead_ms, offset.within_ms])
        self.client.set(f"{self.namespace}:clock", figures, px=self.age_ms)
        if offset.within_ms <= EXACT_ENOUGH_MS:
            self.client.set(f"{self.namespace}:clock:last", figures, ex=_LAST_AGE_S)
            self.on_offset(offset.ahead_ms)
        return offset


def measure(exchange: TellsTime, deadline_s: float) -> Offset:
    """Ask, and while the answer is too slow to be exact, ask again: the most exact answer counts.

    ``deadline_s`` is on ``time.monotonic()``. Raises Transient or Rejected.
    """
    best = retried(lambda: _ask(exchange), deadline_s)
    for _ in range(_MOST_QUESTIONS - 1):
        if best.within_ms <= EXACT_ENOUGH_MS or time.monotonic() >= deadline_s:
            break
        try:
            best = min(best, _ask(exchange), key=lambda offset: offset.within_ms)
        except ExchangeError:
            break  # what is known already is worth more than nothing
    return best


def _ask(exchange: TellsTime) -> Offset:
    """The exchange's time belongs to the middle of the question."""
    sent_ms = _WALL.now().wall_ms
    told_ms = exchange.fetch_time()
    back_ms = _WALL.now().wall_ms
    if told_ms is None:
        return Offset(0, 0)
    return Offset(told_ms - (sent_ms + back_ms) // 2, (back_ms - sent_ms + 1) // 2)
