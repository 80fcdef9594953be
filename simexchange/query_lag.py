"""An order that was just accepted and cannot be found yet: Binance answers queries from another place than orders."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

_REMEMBERED = 10_000  # placements; more than fit into any lag worth testing


@dataclass
class QueryLag:
    """For ``lag_ms`` of wall time after an order was placed, GET order does not find it (-2013). 0 is no lag."""

    lag_ms: int = 0
    _placed_ms: OrderedDict[tuple[str, int], int] = field(default_factory=OrderedDict)

    def placed(self, symbol: str, order_id: int, wall_ms: int) -> None:
        self._placed_ms[symbol, order_id] = wall_ms
        if len(self._placed_ms) > _REMEMBERED:
            self._placed_ms.popitem(last=False)

    def hides(self, symbol: str, order_id: int, wall_ms: int) -> bool:
        return wall_ms < self._placed_ms.get((symbol, order_id), wall_ms) + self.lag_ms
