"""``python -m soak.agreement ACCOUNT LEDGER.json SPEED``: our books and the exchange's own ledger, row by row.

Run beside a platform's environment; prints figures and disagreements as JSON. The exchange's ledger is what
``GET /sim/ledger`` answered.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from statistics import median, quantiles
from typing import TYPE_CHECKING, Any

import django

if TYPE_CHECKING:
    from execution.models import Order

OURS = {
    "NEW": "ACKED",
    "PARTIALLY_FILLED": "PARTIAL",
    "FILLED": "FILLED",
    "CANCELED": "CANCELED",
    "EXPIRED": "EXPIRED",
    "EXPIRED_IN_MATCH": "EXPIRED",
}
NEVER_THERE = {"REJECTED", "ABSENT"}


def compare(account_name: str, ledger: Mapping[str, Any], speed: float) -> dict[str, Any]:
    """Figures, and every disagreement in words. ``speed``: market time per wall time."""
    from bots.models import ExchangeAccount
    from execution.models import Order

    account = ExchangeAccount.objects.get(name=account_name)
    ours = {order.client_order_id: order for order in Order.objects.filter(account=account).select_related("position")}
    theirs = {row["clientOrderId"]: row for row in ledger["orders"]}
    wrong = [*_orders(ours, theirs, account.order_prefix), *_fills(account.pk, ledger["fills"], theirs)]
    wrong += [*_balances(account.pk, ledger["balances"]), *_one_entry(ours, theirs), *_at_rest(account.pk, theirs)]
    figures = {
        "orders at the exchange": len(theirs),
        "orders in our books": dict(Counter(f"{order.purpose} {order.status}" for order in ours.values())),
        "fills": len(ledger["fills"]),
        "positions": _positions(account.pk),
        "wall seconds held without a stop: median, 95 %, most": _naked(ours, theirs, speed),
    }
    return {"figures": figures, "wrong": wrong}


def _orders(ours: Mapping[str, "Order"], theirs: Mapping[str, Any], prefix: str) -> Iterable[str]:
    for name, row in theirs.items():
        order = ours.get(name)
        if order is None:
            yield f"order {name} of the exchange is not in our books"
        elif OURS.get(row["status"]) != order.status or Decimal(row["executedQty"]) != order.filled:
            yield f"order {name}: {row['status']} {row['executedQty']} there, {order.status} {order.filled} here"
        if not name.startswith(prefix):
            yield f"order {name} of the exchange is not ours"
    for name, order in ours.items():
        never_sent = order.status == "CANCELED" and not order.exchange_order_id
        if name not in theirs and order.status not in NEVER_THERE and not never_sent:
            yield f"order {name} is {order.status} here, and unknown to the exchange"
        if name in theirs and order.status in NEVER_THERE:
            yield f"order {name} is {order.status} here, and the exchange has it"


def _fills(account_id: int, fills: Iterable[Mapping[str, Any]], orders: Mapping[str, Any]) -> Iterable[str]:
    from execution.models import Trade

    names = {(row["symbol"], row["orderId"]): name for name, row in orders.items()}
    ours = {
        (trade.order.client_order_id, trade.trade_id): trade
        for trade in Trade.objects.filter(account_id=account_id).select_related("order")
    }
    seen = set()
    for fill in fills:
        key = (names[fill["symbol"], fill["orderId"]], str(fill["id"]))
        seen.add(key)
        trade = ours.get(key)
        told = (Decimal(fill["price"]), Decimal(fill["qty"]), Decimal(fill["commission"]), fill["commissionAsset"])
        if trade is None:
            yield f"fill {key} of the exchange is not in our books"
        elif (trade.price, trade.amount, trade.fee, trade.fee_currency) != told:
            yield f"fill {key}: {told} there, {(trade.price, trade.amount, trade.fee, trade.fee_currency)} here"
    yield from (f"fill {key} of our books is unknown to the exchange" for key in ours.keys() - seen)


def _balances(account_id: int, balances: Mapping[str, Mapping[str, str]]) -> Iterable[str]:
    from execution.balances import booked_balances

    booked = booked_balances(account_id)
    for asset in {*booked, *balances}:
        row = balances.get(asset, {"free": "0", "locked": "0"})
        there, here = Decimal(row["free"]) + Decimal(row["locked"]), booked.get(asset, Decimal(0))
        if there != here:
            yield f"balance of {asset}: {there} there, {here} here"


def _one_entry(ours: Mapping[str, "Order"], theirs: Iterable[str]) -> Iterable[str]:
    entries = Counter(ours[name].position_id for name in theirs if name in ours and ours[name].purpose == "ENTRY")
    yield from (f"position {position} has {count} entries" for position, count in entries.items() if count > 1)


def _at_rest(account_id: int, theirs: Mapping[str, Any]) -> Iterable[str]:
    """Nothing opening, closing or unknown; every open position has a stop at the exchange, or was told."""
    from execution.models import Order, Position
    from notifications.conditions import lasting

    for position in Position.objects.filter(account_id=account_id, status__in=["OPENING", "CLOSING"]):
        yield f"position {position.pk} is still {position.status}"
    for order in Order.objects.filter(account_id=account_id, status__in=["PREPARED", "SENT", "UNKNOWN"]):
        yield f"order {order.client_order_id} is still {order.status}"
    told = set(lasting("position_unprotected").values_list("subject", flat=True))
    for position in Position.objects.filter(account_id=account_id, status="OPEN"):
        stops = position.orders.filter(purpose="STOP").values_list("client_order_id", flat=True)
        resting = [name for name in stops if theirs.get(name, {}).get("status") in ("NEW", "PARTIALLY_FILLED")]
        if not resting and str(position.pk) not in told:
            yield f"position {position.pk} is open without a stop, and nobody was told"
        if len(resting) > 1:
            yield f"position {position.pk} has {len(resting)} stops"


def _naked(ours: Mapping[str, "Order"], theirs: Mapping[str, Any], speed: float) -> str:
    """How long what was held had no stop at the exchange, by the exchange's own times: after the entry's fill, and
    between one stop's end and whatever came next."""
    by_position: dict[int, list[tuple[str, int, int]]] = {}
    for name, row in theirs.items():
        if name in ours and Decimal(row["executedQty"]) + (ours[name].purpose == "STOP"):
            order = ours[name]
            by_position.setdefault(order.position_id, []).append((order.purpose, row["time"], row["updateTime"]))
    gaps = []
    for orders in by_position.values():
        orders.sort(key=lambda order: order[1])
        for (_, _, ended), (_, began, _) in pairwise(orders):
            gaps.append(max(0, began - ended) / 1000 / speed)
    if not gaps:
        return "nothing was held"
    nearly_all = quantiles([*gaps, *gaps], n=20, method="inclusive")[-1]
    return f"{median(gaps):.2f}, {nearly_all:.2f}, {max(gaps):.2f}"


def _positions(account_id: int) -> dict[str, int]:
    from execution.models import Position

    return dict(Counter(Position.objects.filter(account_id=account_id).values_list("status", flat=True)))


if __name__ == "__main__":
    django.setup()
    found = compare(sys.argv[1], json.loads(Path(sys.argv[2]).read_text()), float(sys.argv[3]))
    json.dump(found, sys.stdout, default=str)
