"""Counting requests against the exchange's limits: together through Redis, or alone without it."""

from collections import Counter
from collections.abc import Sequence
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


class LoneCounters:
    """In this process, with a small part of the ceilings: nobody knows what the others use, but the exchange tells."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()
        self._told: Counter[str] = Counter()

    def claim(self, claims: Sequence[Claim]) -> tuple[Claim | None, int]:
        for claim in claims:
            used = self._used[claim.window]
            own_ceiling = claim.ceiling // ALONE_SHARE
            if used and (used + claim.amount > own_ceiling or self._told[claim.window] + claim.amount > claim.ceiling):
                return claim, used
        amounts = Counter({claim.window: claim.amount for claim in claims})
        self._used = _only(self._used, claims) + amounts
        self._told = Counter({window: told + amounts[window] for window, told in _only(self._told, claims).items()})
        return None, self._used[claims[0].window] if claims else 0

    def raise_to(self, window: str, used: int, lasting_ms: int) -> None:
        self._told[window] = max(used, self._told[window])


def _only(counts: Counter[str], claims: Sequence[Claim]) -> Counter[str]:
    """Windows that are over are forgotten."""
    return Counter({claim.window: counts[claim.window] for claim in claims})
