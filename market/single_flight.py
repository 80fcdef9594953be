"""One caller at a time per key, over all processes; the others wait for what it finds."""

import random
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import redis

T = TypeVar("T")

LEASE_MS = 6000
"""How long a caller may work unseen: a little longer than one read of the exchange may take, with the wait for its
budget (wall milliseconds)."""

# Only the holder may end or prolong its lease: a slow one must not touch its successor's.
_RELEASE = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('del', KEYS[1]) or 0"
_RENEW = "return redis.call('get', KEYS[1]) == ARGV[1] and redis.call('pexpire', KEYS[1], ARGV[2]) or 0"
_SHORTEST_WAIT_S, _LONGEST_WAIT_S = 0.004, 0.015


class SingleFlight:
    """Leases in Redis. Waiters look again every few milliseconds: a message to them could be lost, a key cannot.

    A holder that dies is replaced when its lease runs out (``lease_ms``, wall time).
    """

    def __init__(self, client: redis.Redis, lease_ms: int = LEASE_MS) -> None:
        self._redis = client
        self._lease_ms = lease_ms
        self._release = client.register_script(_RELEASE)
        self._renew = client.register_script(_RENEW)

    def run(
        self, key: str, find: Callable[[], T | None], work: Callable[[Callable[[], None]], T], deadline_s: float
    ) -> T | None:
        """What ``find()`` finds, else what ``work(renew)`` returns in the one process that holds the lease.

        ``work`` must leave its result where ``find`` looks, and call ``renew`` before each step that may take as long
        as the lease. None when ``time.monotonic()`` passed the deadline while another process held it. Raises what
        the two raise, and redis.RedisError before any work was done.
        """
        while True:
            found = find()
            if found is not None:
                return found
            token = uuid.uuid4().hex
            if self._redis.set(key, token, nx=True, px=self._lease_ms):
                return self._worked(key, token, find, work)
            if not self._freed(key, deadline_s):
                return None

    def _worked(self, key: str, token: str, find: Callable[[], T | None], work: Callable[[Callable[[], None]], T]) -> T:
        try:
            found = find()  # whoever held the lease before may have finished since we looked
            return found if found is not None else work(lambda: self._as_holder(self._renew, key, token))
        finally:
            self._as_holder(self._release, key, token)

    def _as_holder(self, script: Callable[..., object], key: str, token: str) -> None:
        with suppress(redis.RedisError):  # the lease runs out by itself; what was fetched must not be lost over it
            script(keys=[key], args=[token, self._lease_ms])

    def _freed(self, key: str, deadline_s: float) -> bool:
        while self._redis.exists(key):
            if time.monotonic() >= deadline_s:
                return False
            time.sleep(random.uniform(_SHORTEST_WAIT_S, _LONGEST_WAIT_S))
        return True
