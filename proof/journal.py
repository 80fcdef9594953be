"""What the exchange did, in the order in which it did it: the one witness that none of our code writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from simexchange.orders.order import OPEN_STATUSES, Fill, Order, OrderType, Side

_NAME = re.compile(r"^(?P<prefix>\w+)-(?P<bot>\d+)-(?P<slot>\d+)-(?P<kind>[exs])\d*$")
_ZERO = Decimal(0)


@dataclass(frozen=True)
class Name:
    """What a client order id of ours tells."""

    prefix: str
    position: str  # bot and slot of the entry
    kind: str  # e, x or s: entry, exit, stop


def name_of(client_order_id: str) -> Name | None:
    """None for an order that is not ours."""
    found = _NAME.match(client_order_id)
    return Name(found["prefix"], f"{found['bot']}-{found['slot']}", found["kind"]) if found else None


@dataclass(frozen=True)
class Entry:
    """An order as one event left it at a moment (UTC milliseconds), and the fills of that event."""

    at_ms: int
    order: Order
    fills: tuple[Fill, ...] = ()


def is_open(order: Order) -> bool:
    return order.status in OPEN_STATUSES


def flow(fill: Fill, base: str) -> Decimal:
    """What a fill did to the base that is held."""
    fee = fill.commission if fill.commission_asset == base else _ZERO
    return (fill.quantity if fill.side is Side.BUY else -fill.quantity) - fee


@dataclass
class Held:
    """One position as the exchange sees it, without knowing what one is: orders that share a name."""

    base: str
    amount: Decimal = _ZERO
    selling: dict[int, Order] = field(default_factory=dict)
    entries: set[int] = field(default_factory=set)

    def take(self, entry: Entry, kind: str) -> None:
        order = entry.order
        self.amount += sum((flow(fill, self.base) for fill in entry.fills), _ZERO)
        if kind == "e":
            self.entries.add(order.order_id)
        elif is_open(order):
            self.selling[order.order_id] = order
        else:
            self.selling.pop(order.order_id, None)

    @property
    def bound(self) -> Decimal:
        """Base in open orders that sell."""
        return sum((order.quantity - order.executed for order in self.selling.values()), _ZERO)

    @property
    def stopped(self) -> bool:
        """Whether a stop rests for it."""
        return any(order.type is OrderType.STOP_LOSS_LIMIT for order in self.selling.values())


def oversold(journal: Iterable[Entry]) -> list[str]:
    """At no moment more may be sold or on offer than is held, nor two closing orders stand beside each other."""
    found, positions = [], dict[str, Held]()
    for entry in journal:
        name = name_of(entry.order.client_order_id)
        if name is None:
            continue
        held = positions.setdefault(name.position, Held(_base(entry.order.symbol)))
        held.take(entry, name.kind)
        where = f"position {name.position} after {entry.order.client_order_id}"
        if held.bound > held.amount:
            found.append(f"I-12 {where}: {held.bound} on offer, {held.amount} held")
        if held.amount < 0:
            found.append(f"I-12 {where}: sold {-held.amount} more than was held")
        if len(held.selling) > 1:
            found.append(f"I-12 {where}: {len(held.selling)} closing orders are open at once")
    return found


def entered_twice(journal: Iterable[Entry]) -> list[str]:
    """At most one entry order per position, ever."""
    entries: dict[str, set[int]] = {}
    for entry in journal:
        name = name_of(entry.order.client_order_id)
        if name is not None and name.kind == "e":
            entries.setdefault(name.position, set()).add(entry.order.order_id)
    return [
        f"I-1 position {name}: {len(ids)} entry orders at the exchange" for name, ids in entries.items() if len(ids) > 1
    ]


def naked(journal: Iterable[Entry], until_ms: int) -> dict[str, list[tuple[int, int]]]:
    """When (from, until) each position was held without an order that would close it."""
    positions, since, found = dict[str, Held](), dict[str, int](), dict[str, list[tuple[int, int]]]()
    for entry in journal:
        name = name_of(entry.order.client_order_id)
        if name is None:
            continue
        held = positions.setdefault(name.position, Held(_base(entry.order.symbol)))
        held.take(entry, name.kind)
        bare = held.amount > 0 and not held.selling
        if bare:
            since.setdefault(name.position, entry.at_ms)
        elif name.position in since:
            found.setdefault(name.position, []).append((since.pop(name.position), entry.at_ms))
    for position, from_ms in since.items():
        found.setdefault(position, []).append((from_ms, until_ms))
    return found


def _base(symbol: str) -> str:
    return symbol.removesuffix("USDT")
