"""What all processes together have used of the exchange's limits, and what it told them: one look at Redis."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import redis

from market.rate_limits import UNTIL_KNOWN, Priority, weight_window
from market.standing import Trouble

_NEAR_MS = 1_000  # the exchange's clock may be so far from ours: its window may be the one before or after


@dataclass(frozen=True, slots=True)
class Usage:
    """``weight``: used in the present minute. ``ahead_ms``: the exchange's clock before ours. ``told``: whether it told
    us to stay away. ``failing``: how many different things of each kind were asked for in vain, and none answered."""

    weight: int
    ahead_ms: int
    told: Mapping[Trouble, bool]
    failing: Mapping[Priority, int]


def read_usage(client: redis.Redis, namespace: str, now_ms: int) -> Usage:
    """``now_ms``: wall time. Raises redis.RedisError."""
    near = {weight_window(UNTIL_KNOWN, now_ms + off_ms) for off_ms in (-_NEAR_MS, 0, _NEAR_MS)}
    troubles = (Trouble.LIMITED, Trouble.BANNED)
    with client.pipeline(transaction=False) as ask:
        ask.get(f"{namespace}:offset")
        ask.mget([f"{namespace}:{window}" for window in sorted(filter(None, near))])
        ask.mget([f"{namespace}:{trouble}" for trouble in troubles])
        for priority in Priority:
            ask.scard(f"{namespace}:failing:{priority}")
        offset, weights, told, *failing = ask.execute()
    return Usage(
        weight=max((int(weight) for weight in weights if weight), default=0),
        ahead_ms=int(offset or 0),
        told={trouble: text is not None for trouble, text in zip(troubles, told, strict=True)},
        failing=dict(zip(Priority, cast(list[int], failing), strict=True)),
    )
