"""PURE. Open orders that end without a trade: cancelled, expired with their pair, or in the way of an own order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simexchange.errors import order_errors
from simexchange.market.instruments import Instrument
from simexchange.orders.account import Account, Outcome
from simexchange.orders.balances import Purse
from simexchange.orders.order import Order, Status
from simexchange.orders.taking import paying

_ZERO = Decimal(0)


def ended(order: Order, status: Status, now_ms: int) -> Order:
    """The order as it ends; what it bound has to be given back or passed on by the caller."""
    return replace(order, status=status, locked=_ZERO, updated_ms=now_ms)


def end(
    account: Account, purse: Purse, order: Order, instrument: Instrument, now_ms: int, status: Status, other: Status
) -> tuple[Order, ...]:
    """End an order with ``status`` and its pair with ``other``; what they bound is free again."""
    pair = account.paired(order)
    purse.lock(paying(order.side, instrument), -sum((one.locked for one in (order, *pair)), _ZERO))
    return ended(order, status, now_ms), *(ended(one, other, now_ms) for one in pair)


def cancel(account: Account, order: Order, instrument: Instrument, now_ms: int, restrictions: str | None) -> Outcome:
    """Take an order out, and with it the other one of its pair. ``restrictions`` may demand that it is untouched
    (ONLY_NEW) or partly filled (ONLY_PARTIALLY_FILLED)."""
    if restrictions is not None and order.status != restrictions.removeprefix("ONLY_"):
        raise order_errors.cancel_restricted()
    purse = Purse(account.balances)
    first, *pair = end(account, purse, order, instrument, now_ms, Status.CANCELED, Status.CANCELED)
    return Outcome(first, (), purse.changed, tuple(pair))
