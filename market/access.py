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
from market.standing import LONGEST_STAY_AWAY_S, OnNotice, Standing, Trouble

T = TypeVar("T")

_LONGEST_WAIT_S = 1.0
"""So long a request waits for the next window: a worker that waited longer would keep other bots' exits waiting."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to make one request: its kind, the weight window it was counted in, and what that holds by our count."""

    priority: Priority
    window: str | None
    used: int


class Access:
    """One per process, made after fork. All processes of one address share what is under ``namespace``.

    ``client`` None: a process without Redis, on its own. ``limits`` are the exchange's, as soon as it has told them to
    any process: one that starts late in a minute and knew only the smallest would find it used up by the others.
    """

    def __init__(
        self,
        client: redis.Redis | None = None,
        namespace: str = "",
        on_notice: OnNotice = lambda notice: None,
        health: RedisHealth | None = None,
    ) -> None:
        self.limits: tuple[RateLimit, ...] = UNTIL_KNOWN
        self._alone = LoneCounters()
        self._redis = health or RedisHealth()
        self._offset_ms = 0
        self._barred_until_s, self._barred_text = 0.0, ""
        self._shared = SharedCounters(client, namespace) if client is not None else None
        self._standing = Standing(client, namespace, on_notice) if client is not None else None
        self._own_limits = False  # told to this process, and not to Redis, which may hold older ones

    def set_limits(self, limits: tuple[RateLimit, ...]) -> None:
        """What the exchange allows. All processes hear of it."""
        self.limits = limits
        if self._standing is not None:
            self._standing.limits = limits  # whether or not Redis answers now
        self._own_limits = not self._with_redis(lambda _, standing: standing.keep_limits(limits), lambda: False)

    def set_offset(self, ahead_ms: int) -> None:
        """How far the exchange's clock is ahead of ours: its windows begin by its own. All processes hear of it."""
        self._offset_ms = ahead_ms
        if self._standing is not None:
            self._standing.offset_ms = ahead_ms  # whether or not Redis answers now
        self._with_redis(lambda _, standing: standing.keep_offset(ahead_ms), lambda: None)

    @property
    def offset_ms(self) -> int:
        """How far the exchange's clock is ahead of ours, as far as this process has heard."""
        return self._offset_ms

    def admit(self, priority: Priority, cost: Cost) -> Ticket:
        """Leave to make one request now, after a second's wait at the most. Raises Withheld."""
        deadline_s = time.monotonic() + _LONGEST_WAIT_S
        while True:
            self._require_standing(priority)
            exchange_ms = self._exchange_ms()
            refused, used = self._claimed(claims(self.limits, priority, cost, exchange_ms))
            if refused is None:
                return Ticket(priority, weight_window(self.limits, exchange_ms), used)
            wait_s = refused.ends_in_ms / 1000
            if time.monotonic() + wait_s > deadline_s:
                counted = refused.window.partition(":")[0]
                raise Withheld(f"the budget of {counted} for {priority} is used up for {wait_s:.0f} s", wait_s)
            time.sleep(wait_s + random.uniform(0.001, 0.05))

    def answered(self, ticket: Ticket, used_weight: int | None) -> None:
        """An answer came, whatever it said. ``used_weight``: the exchange's own count for the address, if it told."""
        same_window = ticket.window is not None and ticket.window == weight_window(self.limits, self._exchange_ms())
        if used_weight is not None and used_weight > ticket.used and same_window:
            window, length_ms = str(ticket.window), int(str(ticket.window).split(":")[1])
            self._with_redis(
                lambda shared, _: shared.raise_to(window, used_weight, length_ms),
                lambda: self._alone.raise_to(window, used_weight, length_ms),
            )
        self._with_redis(lambda _, standing: standing.answered(ticket.priority), lambda: None)

    def failed(self, ticket: Ticket, subject: str, error: ExchangeError) -> None:
        """No answer for ``subject``, or none that could be used; or one that tells us to stay away."""
        if not isinstance(error, Transient):
            return
        if error.retry_after_s > 0:
            self._stay_away(error.retry_after_s, str(error))
            self._with_redis(lambda _, standing: standing.told_to_wait(error), lambda: None)
        else:
            self._with_redis(lambda _, standing: standing.failed(ticket.priority, subject, str(error)), lambda: None)

    def troubles(self) -> dict[Trouble, str]:
        """What keeps the fleet from asking now, with the reason. Raises redis.RedisError."""
        return self._standing.troubles() if self._standing is not None else {}

    def _exchange_ms(self) -> int:
        return time.time_ns() // 1_000_000 + self._offset_ms

    def _require_standing(self, priority: Priority) -> None:
        left_s = self._barred_until_s - time.monotonic()
        if left_s > 0:
            raise Withheld(self._barred_text, left_s)
        bar = self._with_redis(lambda _, standing: standing.why_not(priority), lambda: None)
        if self._standing is not None:
            self._offset_ms = self._standing.offset_ms
            if not self._own_limits:  # the latest, whoever was told: they may have been lowered since this one knew
                self.limits = self._standing.limits or self.limits
        if bar is None:
            return
        if bar.told:  # what the exchange said holds for this process even if Redis forgets it
            self._stay_away(bar.lasting_s, bar.reason)
        raise Withheld(bar.reason, bar.lasting_s)

    def _stay_away(self, lasting_s: float, reason: str) -> None:
        until_s = time.monotonic() + min(lasting_s, LONGEST_STAY_AWAY_S)
        if until_s > self._barred_until_s:
            self._barred_until_s, self._barred_text = until_s, reason

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
