"""PURE. An open order that the price has met: triggered, or filled as maker."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simexchange.market.depth import Level
from simexchange.market.instruments import Instrument
from simexchange.orders.account import Account, Outcome
from simexchange.orders.balances import Purse
from simexchange.orders.ending import ended
from simexchange.orders.order import Order, Status
from simexchange.orders.placing import work
from simexchange.orders.resting import LEVELS, levels_met, met_quantity, next_touch
from simexchange.orders.taking import Terms, execute


def edges(orders: list[Order], instrument: Instrument) -> tuple[int | None, int | None]:
    """The last prices (1e-8 quote) between which nothing happens to the orders: (low, high), None where open."""
    touches = [next_touch(order, instrument) for order in orders]
    low = max((touch.price_e8 for touch in touches if touch.falling), default=None)
    high = min((touch.price_e8 for touch in touches if not touch.falling), default=None)
    return low, high


def met(orders: list[Order], price_e8: int, instrument: Instrument) -> list[Order]:
    """The orders that act at this last price, oldest first."""
    return [order for order in orders if next_touch(order, instrument).reached(price_e8)]


def meet(account: Account, order: Order, terms: Terms) -> Outcome:
    """What becomes of an order at the price of ``terms``, which it is met by. Its pair expires; what that bound passes
    to this order."""
    purse, pair = Purse(account.balances), account.paired(order)
    inherited = sum((other.locked for other in pair), Decimal(0))
    order = replace(order, locked=order.locked + inherited)
    gone = tuple(ended(other, Status.EXPIRED, terms.now_ms) for other in pair)
    if order.waiting:
        worked = work(account, purse, replace(order, working_ms=terms.now_ms, updated_ms=terms.now_ms), terms)
        return Outcome(worked.order, worked.fills, purse.changed, gone + worked.ended)
    levels = levels_met(order.side, order.price, terms.last_e8, terms.instrument)
    quantity = met_quantity(order, levels, terms.instrument)
    complete = quantity == order.remaining
    trade_id = account.next_trade_id.get(order.symbol, 1)
    part = [Level(order.price, quantity)]
    after, fills = execute(purse, order, part, terms, trade_id, rests=not complete, is_maker=True)
    status = Status.FILLED if complete else Status.PARTIALLY_FILLED
    return Outcome(replace(after, status=status, met=min(levels, LEVELS)), fills, purse.changed, gone)
