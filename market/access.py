"""The door to the exchange: every request of every process asks here first, and tells here how it went."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import redis

from market.budget import Counters, LoneCounters, SharedCounters
from market.exchange import ExchangeError, Transient, Withheld
from market.rate_limits import UNTIL_KNOWN, Claim, Cost, Priority, RateLimit, claims, weight_window
from market.redis_health import RedisHealth
from market.standing import OnNotice, Standing, Trouble, local_pause_s

T = TypeVar("T")

_LONGEST_WAIT_S = 1.0
"""So long a request waits for the next window: a worker that waited longer would keep other bots' exits waiting."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to make one request: the weight window it was counted in, and what that holds by our own count."""

    window: str | None
    used: int


class Access:
    """One per process, made after fork. All processes of one address share what is under ``namespace``.

    ``client`` None: a process without Redis, on its own. ``limits`` are the exchange's, as soon as it has told them.
    """

    def __init__(
        self, client: redis.Redis | None = None, namespace: str = "", on_notice: OnNotice = lambda notice: None
    ) -> None:
        self.limits: tuple[RateLimit, ...] = UNTIL_KNOWN
        self._offset_ms = 0
        self._alone = LoneCounters()
        self._redis = RedisHealth("the request budget")
        self._barred_until_s, self._barred_text = 0.0, ""
        self._shared = SharedCounters(client, namespace) if client is not None else None
        self._standing = Standing(client, namespace, on_notice) if client is not None else None

    def set_offset(self, ahead_ms: int) -> None:
        """How far the exchange's clock is ahead of ours: its windows begin by its own."""
        self._offset_ms = ahead_ms

    def admit(self, priority: Priority, cost: Cost) -> Ticket:
        """Leave to make one request now, after a second's wait at the most. Raises Withheld."""
        deadline_s = time.monotonic() + _LONGEST_WAIT_S
        while True:
            self._require_standing(priority)
            exchange_ms = time.time_ns() // 1_000_000 + self._offset_ms
            refused, used = self._claimed(claims(self.limits, priority, cost, exchange_ms))
            if refused is None:
                return Ticket(weight_window(self.limits, exchange_ms), used)
            wait_s = refused.ends_in_ms / 1000
            if time.monotonic() + wait_s > deadline_s:
                counted = refused.window.partition(":")[0]
                raise Withheld(f"the budget of {counted} for {priority} is used up for {wait_s:.0f} s", wait_s)
            time.sleep(wait_s + random.uniform(0.001, 0.05))

    def answered(self, ticket: Ticket, used_weight: int | None) -> None:
        """An answer came, whatever it said. ``used_weight``: the exchange's own count for the address, if it told."""
        exchange_ms = time.time_ns() // 1_000_000 + self._offset_ms
        same_window = ticket.window is not None and ticket.window == weight_window(self.limits, exchange_ms)
        if used_weight is not None and used_weight > ticket.used and same_window:
            window, length_ms = str(ticket.window), int(str(ticket.window).split(":")[1])
            self._with_redis(
                lambda shared, _: shared.raise_to(window, used_weight, length_ms),
                lambda: self._alone.raise_to(window, used_weight, length_ms),
            )
        self._with_redis(lambda _, standing: standing.answered(), lambda: None)

    def failed(self, subject: str, error: ExchangeError) -> None:
        """No answer, or none that could be used; or one that tells us to stay away."""
        if not isinstance(error, Transient):
            return
        if error.retry_after_s > 0:
            self._barred_until_s, self._barred_text = local_pause_s(error), str(error)
            self._with_redis(lambda _, standing: standing.told_to_wait(error), lambda: None)
        else:
            self._with_redis(lambda _, standing: standing.failed(subject, str(error)), lambda: None)

    def troubles(self) -> dict[Trouble, str]:
        """What keeps the fleet from asking now, with the reason. Raises redis.RedisError."""
        return self._standing.troubles() if self._standing is not None else {}

    def _require_standing(self, priority: Priority) -> None:
        left_s = self._barred_until_s - time.monotonic()
        if left_s > 0:
            raise Withheld(self._barred_text, left_s)
        why_not = self._with_redis(lambda _, standing: standing.why_not(priority), lambda: None)
        if why_not is not None:
            raise Withheld(*why_not)

    def _claimed(self, wanted: Sequence[Claim]) -> tuple[Claim | None, int]:
        return self._with_redis(lambda shared, _: shared.claim(wanted), lambda: self._alone.claim(wanted))

    def _with_redis(self, together: Callable[[Counters, Standing], T], alone: Callable[[], T]) -> T:
        """Together with the others through Redis; on one's own where there is none, or it does not answer."""
        if self._shared is None or self._standing is None or not self._redis.usable():
            return alone()
        try:
            found = together(self._shared, self._standing)
        except redis.RedisError as error:
            self._redis.lost(error)
            return alone()
        self._redis.works()
        return found
