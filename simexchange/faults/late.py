"""Faults about when something is known: a clock that is off, an order that cannot be queried yet."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from simexchange.errors import order_errors
from simexchange.faults.register import Met

_PLACED_KEPT = 1000


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
    """When the latest orders were accepted (wall time), read from the answers that said so."""

    def __init__(self) -> None:
        self._placed_ms: OrderedDict[tuple[object, object], int] = OrderedDict()

    def note(self, answer: object, now_ms: int) -> None:
        """Remember the orders of an answer to a POST."""
        for order in _orders(answer):
            self._placed_ms[order.get("symbol"), order["orderId"]] = now_ms
        while len(self._placed_ms) > _PLACED_KEPT:
            self._placed_ms.popitem(last=False)

    def refuse_early(self, met: Met, answer: object, now_ms: int) -> None:
        """Raise -2013 for the answer to a query of an order that is younger than a fault allows."""
        for active in met.data:
            for order in _orders(answer) if active.fault.kind == "query_lag" else ():
                placed_ms = self._placed_ms.get((order.get("symbol"), order["orderId"]))
                if placed_ms is not None and now_ms - placed_ms < active.fault.params["lag_ms"]:
                    active.strike(now_ms)
                    raise order_errors.no_such_order()


def _orders(answer: object) -> list[Mapping[str, object]]:
    """The orders an answer tells of: itself, the new one of a replacement, or those of a list."""
    if not isinstance(answer, dict):
        return []
    if "orderId" in answer:
        return [answer]
    inner = [answer.get("newOrderResponse"), *answer.get("orderReports", [])]
    return [order for order in inner if isinstance(order, dict) and "orderId" in order]
