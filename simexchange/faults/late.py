"""Faults about when something is known: a clock that is off, an order that cannot be queried yet."""

from __future__ import annotations

from collections import OrderedDict

from simexchange.faults.register import Met

_PLACED_KEPT = 10_000  # more than fit into any lag worth testing


def skew_ms(met: Met, now_ms: int) -> int:
    """How far the server's clock, as this request sees it, is ahead of wall time."""
    total = 0.0
    for active in met.data:
        if active.fault.kind == "clock_skew":
            elapsed_s = (now_ms - (active.opened_ms or now_ms)) / 1000
            total += active.fault.params["skew_ms"] + active.fault.params["drift_ms_per_s"] * elapsed_s
            active.strike(now_ms)
    return int(total)


class Placed:
    """When the latest orders were accepted, in wall time."""

    def __init__(self) -> None:
        self._placed_ms: OrderedDict[tuple[str, int], int] = OrderedDict()

    def note(self, key: tuple[str, int], wall_ms: int) -> None:
        self._placed_ms[key] = wall_ms
        if len(self._placed_ms) > _PLACED_KEPT:
            self._placed_ms.popitem(last=False)

    def hides(self, key: tuple[str, int], met: Met, wall_ms: int) -> bool:
        """Whether the order (symbol, id) is younger than a fault that the query has met lets it be seen."""
        placed_ms = self._placed_ms.get(key)
        if placed_ms is None:
            return False
        for active in met.data:
            if active.fault.kind == "query_lag" and wall_ms - placed_ms < active.fault.params["lag_ms"]:
                active.strike(wall_ms)
                return True
        return False
