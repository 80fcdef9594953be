"""An order by its name: whose it is, the slot that it belongs to, and what had decided it."""

from datetime import datetime
from typing import Any

from execution.models import Order, Purpose
from market.clock import moment
from market.slots import slot_at, slot_start_ms
from risk.models import Decision


def find_order(name: str) -> Order:
    """By our own name of it, or by the exchange's number. Raises ValueError for one that is unknown or not unique."""
    orders = Order.objects.select_related("bot", "position", "decision")
    found = list(orders.filter(client_order_id=name)) or list(orders.filter(exchange_order_id=name)[:9])
    if not found:
        raise ValueError(f"there is no order {name!r}: give the name that we gave it, or the number at the exchange")
    if len(found) > 1:
        names = ", ".join(order.client_order_id for order in found)
        raise ValueError(f"{name} is the number of several orders, of different symbols: {names}")
    return found[0]


def slot_time(order: Order) -> datetime:
    """A market time in the slot of the decision that it came of; else in the slot in which it was made."""
    if order.decision is None:
        return order.market_at
    decided_at, interval_s = order.decision.market_at, order.bot.interval_s
    begins_at = moment(slot_start_ms(order.decision.slot, interval_s))
    late = slot_at(round(decided_at.timestamp() * 1000), interval_s) - order.decision.slot
    return begins_at if late in (0, 1) else decided_at  # else the bot had another timeframe then


def order_told(order: Order) -> dict[str, Any]:
    """Which order was asked for, and what entered the position that it is about, as JSON values."""
    entry = Order.objects.filter(position=order.position, purpose=Purpose.ENTRY).select_related("decision").first()
    return {
        "client_order_id": order.client_order_id,
        "exchange_order_id": order.exchange_order_id,
        "purpose": order.purpose,
        "status": order.status,
        "position": order.position_id,
        "reason": order.reason,
        "answer": order.answer,
        "entry": None if entry is None else {"client_order_id": entry.client_order_id, **_decided(entry.decision)},
    }


def _decided(decision: Decision | None) -> dict[str, Any]:
    if decision is None:
        return {"decided_at": None, "signal": "", "checks_passed": 0}
    return {
        "decided_at": decision.market_at.isoformat(),
        "signal": str(decision.signal.get("reason", "")),
        "checks_passed": sum(check.get("passed") is True for check in decision.checks),
    }
