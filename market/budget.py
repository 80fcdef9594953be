"""Counting requests against the exchange's limits: together through Redis, or alone without it."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, cast

import redis

from market.rate_limits import Claim

# All claims are made, or none. A window that nobody has used yet lets even a request through that is larger than the
# ceiling. Returns the position of the first claim that does not fit (0: all do) and what the first window holds.
_CLAIM = """
for i, key in ipairs(KEYS) do
  local used = tonumber(redis.call('get', key) or '0')
  if used > 0 and used + tonumber(ARGV[3 * i - 2]) > tonumber(ARGV[3 * i - 1]) then return {i, used} end
end
local first = 0
for i, key in ipairs(KEYS) do
  local used = redis.call('incrby', key, ARGV[3 * i - 2])
  redis.call('pexpire', key, ARGV[3 * i])
  if i == 1 then first = used end
end
return {0, first}
"""
_RAISE = """
if tonumber(redis.call('get', KEYS[1]) or '0') < tonumber(ARGV[1]) then
  redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2])
end
"""
_KEPT_MS = 5_000  # after a window's end: for whoever still thinks that it is open
ALONE_SHARE = 8
"""Without the common counters a process allows itself one part in so many of each limit."""


class Counters(Protocol):
    """Windows and what was used of them."""

    def claim(self, claims: Sequence[Claim]) -> tuple[Claim | None, int]:
        """Make all claims or none: the first that does not fit (None: all do), and what the first window holds then."""

    def raise_to(self, window: str, used: int, lasting_ms: int) -> None:
        """The exchange itself counts so many in a window: others ask from this address too."""


class SharedCounters:
    """In Redis, under ``namespace``. Raises redis.RedisError."""

    def __init__(self, client: redis.Redis, namespace: str) -> None:
        self._namespace = namespace
        self._claim, self._raise = client.register_script(_CLAIM), client.register_script(_RAISE)

    def claim(self, claims: Sequence[Claim]) -> tuple[Claim | None, int]:
        keys = [f"{self._namespace}:{claim.window}" for claim in claims]
        figures = [(claim.amount, claim.ceiling, claim.ends_in_ms + _KEPT_MS) for claim in claims]
        answer = self._claim(keys=keys, args=[figure for three in figures for figure in three])
        position, used = cast(list[int], answer)
        return (claims[position - 1] if position else None), used

    def raise_to(self, window: str, used: int, lasting_ms: int) -> None:
        self._raise(keys=[f"{self._namespace}:{window}"], args=[used, lasting_ms])


@dataclass
class _Window:
    """One window as a lone process sees it: what it used, what the exchange says was used, when it may be forgotten."""

    until_s: float
    used: int = 0
    told: int = 0


class LoneCounters:
    """In this process, with a small part of the ceilings: nobody knows what the others use, but the exchange tells."""

    def __init__(self) -> None:
        self._windows: dict[str, _Window] = {}

    def claim(self, claims: Sequence[Claim]) -> tuple[Claim | None, int]:
        now_s = time.monotonic()
        self._windows = {name: window for name, window in self._windows.items() if window.until_s > now_s}
        for claim in claims:
            self._windows.setdefault(claim.window, _Window(now_s + (claim.ends_in_ms + _KEPT_MS) / 1000))
        wanted = [(claim, self._windows[claim.window]) for claim in claims]
        for claim, window in wanted:
            beyond = window.used + claim.amount > claim.ceiling // ALONE_SHARE
            if window.used and (beyond or window.told + claim.amount > claim.ceiling):
                return claim, window.used
        for claim, window in wanted:
            window.used += claim.amount
            window.told += claim.amount if window.told else 0
        return None, wanted[0][1].used if wanted else 0

    def raise_to(self, window: str, used: int, lasting_ms: int) -> None:
        known = self._windows.setdefault(window, _Window(time.monotonic() + lasting_ms / 1000))
        known.told = max(used, known.told)
