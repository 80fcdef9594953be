"""PURE. One cancels the other: two orders on both sides of the price, of which the first to trade or trigger counts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal

from simexchange.errors import order_errors
from simexchange.orders.account import Account, Outcome
from simexchange.orders.balances import Purse, bound, bound_price
from simexchange.orders.order import STOP_TYPES, NewOrder, Order, OrderList, OrderType
from simexchange.orders.placing import accepted, check
from simexchange.orders.taking import Terms, paying


@dataclass(frozen=True)
class NewPair:
    """A wish for two orders of one side and quantity: ``above`` and ``below`` the last price."""

    client_id: str
    above: NewOrder
    below: NewOrder


def place_pair(account: Account, pair: NewPair, terms: Terms) -> Outcome:
    """Take both orders in or none. They bind the dearer one's cost once: whichever is executed, the other ends. A stop
    order gets the lower id and holds what is bound."""
    _check_relation(pair, terms.last_price)
    wishes = sorted((pair.below, pair.above), key=lambda one: one.type is OrderType.LIMIT_MAKER)
    check(account, wishes, terms)
    purse = Purse(account.balances)
    needs = max(bound(one.side, bound_price(one), one.quantity or Decimal(0)) for one in wishes)
    purse.lock(paying(wishes[0].side, terms.instrument), needs)
    first, second = (_leg(account, one, terms, number) for number, one in enumerate(wishes))
    ids = first.order_id, second.order_id
    order_list = OrderList(account.next_list_id, first.symbol, pair.client_id, terms.now_ms, ids)
    return Outcome(replace(first, locked=needs), (), purse.changed, (second,), order_list)


def _leg(account: Account, one: NewOrder, terms: Terms, number: int) -> Order:
    order = accepted(account, one, terms.now_ms)
    return replace(
        order,
        order_id=order.order_id + number,
        list_id=account.next_list_id,
        working_ms=-1 if one.type in STOP_TYPES else terms.now_ms,
    )


def _check_relation(pair: NewPair, last_price: Decimal) -> None:
    """The last price lies between the two: between their stop prices, or the limit maker's price."""
    above, below = (one.stop_price or one.price for one in (pair.above, pair.below))
    if not above > last_price > below:
        raise order_errors.wrong_relationship()
