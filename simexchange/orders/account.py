"""PURE. The account's present, and what an event changes in it.

Deciders return an ``Outcome`` and change nothing. The caller makes the outcome durable first, then lets the account
``take`` it, so an answer never tells of something that a crash could undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from simexchange.orders.order import OPEN_STATUSES, Balance, Fill, Order, OrderList


@dataclass(frozen=True)
class Outcome:
    """An order after an event at ``order.updated_ms``: its new fills, the other orders that the event changed, the pair
    that it created, and the new balance of every asset they touched."""

    order: Order
    fills: tuple[Fill, ...]
    balances: Mapping[str, Balance]
    others: tuple[Order, ...] = ()
    order_list: OrderList | None = None

    @property
    def matched_ms(self) -> int:
        """Up to when the symbol's orders are surely matched once this is written down: not yet to the moment of the
        event itself, at which other orders may be met too. Meeting one again at the same price changes nothing."""
        return self.order.updated_ms - 1

    @property
    def orders(self) -> tuple[Order, ...]:
        return self.order, *self.others


@dataclass
class Account:
    """Balances by asset, open orders by (symbol, order id), next ids by symbol; list ids are of the whole account."""

    balances: dict[str, Balance] = field(default_factory=dict)
    open_orders: dict[tuple[str, int], Order] = field(default_factory=dict)
    next_order_id: dict[str, int] = field(default_factory=dict)
    next_trade_id: dict[str, int] = field(default_factory=dict)
    next_list_id: int = 0

    def balance(self, asset: str) -> Balance:
        return self.balances.get(asset, Balance())

    def rests(self, client_order_id: str) -> bool:
        """Whether an open order carries this client id: it must be unique among those, and only those."""
        return any(order.client_order_id == client_order_id for order in self.open_orders.values())

    def of(self, symbol: str) -> list[Order]:
        """The symbol's open orders, oldest first."""
        return [order for (of_symbol, _), order in sorted(self.open_orders.items()) if of_symbol == symbol]

    def paired(self, order: Order) -> tuple[Order, ...]:
        """The other order of its pair, if that is still open."""
        if order.list_id < 0:
            return ()
        return tuple(o for o in self.of(order.symbol) if o.list_id == order.list_id and o.key != order.key)

    def take(self, outcome: Outcome) -> None:
        """Make an outcome part of the present."""
        self.balances.update(outcome.balances)
        for order in outcome.orders:
            symbol = order.symbol
            self.next_order_id[symbol] = max(self.next_order_id.get(symbol, 1), order.order_id + 1)
            if order.status in OPEN_STATUSES:
                self.open_orders[order.key] = order
            else:
                self.open_orders.pop(order.key, None)
        if outcome.fills:
            self.next_trade_id[outcome.order.symbol] = outcome.fills[-1].trade_id + 1
        if outcome.order_list is not None:
            self.next_list_id = outcome.order_list.list_id + 1
