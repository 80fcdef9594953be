"""PURE. What a new order does: refused, or taking, resting and waiting, with these balances afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from simexchange.errors import order_errors
from simexchange.orders import filters
from simexchange.orders.account import Account, Outcome
from simexchange.orders.balances import Purse, bound, bound_price
from simexchange.orders.ending import end
from simexchange.orders.order import (
    MARKET_TYPES,
    STOP_TYPES,
    Fill,
    NewOrder,
    Order,
    OrderType,
    SelfTrade,
    Side,
    Status,
    TimeInForce,
)
from simexchange.orders.resting import levels_met, stop_touch
from simexchange.orders.taking import Terms, execute, in_the_way, offers, paying, walk, within

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Worked:
    """An order after it was worked in the book, its fills, and the own orders that ended because of it."""

    order: Order
    fills: tuple[Fill, ...]
    ended: tuple[Order, ...]


def place(account: Account, wish: NewOrder, terms: Terms) -> Outcome:
    """Take the order in. Raises Binance's refusal when a filter, the client id, a price or the balance forbids it."""
    check(account, (wish,), terms)
    order = accepted(account, wish, terms.now_ms)
    purse = Purse(account.balances)
    pays, needs = paying(wish.side, terms.instrument), needed(wish)
    purse.require(pays, needs)
    if wish.type in STOP_TYPES:
        purse.lock(pays, needs)
        return Outcome(replace(order, locked=needs), (), purse.changed)
    worked = work(account, purse, replace(order, working_ms=terms.now_ms), terms)
    return Outcome(worked.order, worked.fills, purse.changed, worked.ended)


def check(account: Account, wishes: Sequence[NewOrder], terms: Terms) -> None:
    """Everything but the balance, of orders that are placed together."""
    for wish in wishes:
        filters.check(wish, terms.instrument, terms.average_price)
        if wish.quote_quantity is not None:
            taken, _ = walk(None, wish.quote_quantity, offers(wish, terms.book), terms.instrument.step)
            filters.check_bought(sum((level.quantity for level in taken), _ZERO), terms.instrument)
    filters.check_room(wishes, account.of(wishes[0].symbol), wishes[0].symbol)
    ids = [wish.client_order_id for wish in wishes]
    if len(set(ids)) < len(ids) or any(account.rests(client_id) for client_id in ids):
        raise order_errors.duplicate_order()
    for wish in wishes:
        _check_prices(wish, terms)


def _check_prices(wish: NewOrder, terms: Terms) -> None:
    if wish.type is OrderType.LIMIT_MAKER and offers(wish, terms.book):
        raise order_errors.would_take()
    if wish.type in STOP_TYPES and stop_touch(wish.side, wish.type, wish.stop_price).reached(terms.last_e8):
        raise order_errors.would_trigger()


def accepted(account: Account, wish: NewOrder, now_ms: int) -> Order:
    """The order with its id, before anything has come of it."""
    return Order(
        symbol=wish.symbol,
        order_id=account.next_order_id.get(wish.symbol, 1),
        client_order_id=wish.client_order_id,
        side=wish.side,
        type=wish.type,
        quantity=wish.quantity or _ZERO,
        quote_quantity=wish.quote_quantity or _ZERO,
        executed=_ZERO,
        quote_executed=_ZERO,
        status=Status.NEW,
        time_ms=now_ms,
        updated_ms=now_ms,
        price=wish.price,
        stop_price=wish.stop_price,
        time_in_force=wish.time_in_force,
        self_trade=wish.self_trade,
    )


def needed(wish: NewOrder) -> Decimal:
    """What has to be free of the asset that the order pays with; a market order for a quantity finds out in the book
    what it costs."""
    if wish.side is Side.SELL or wish.quantity is not None:
        return bound(wish.side, bound_price(wish), wish.quantity or _ZERO)
    return wish.quote_quantity or _ZERO


def work(account: Account, purse: Purse, order: Order, terms: Terms) -> Worked:
    """Put an order into the book: it takes what it may, and what is left rests or expires."""
    own = in_the_way(account, order)
    levels = offers(order, terms.book)
    stops_at_own = bool(own) and order.self_trade is not SelfTrade.EXPIRE_MAKER
    if stops_at_own:
        levels = [level for level in levels if not within(order.side, level.price, own[0].price)]
    by_quote = order.quote_quantity > 0
    budget = _budget(purse, order, terms)
    taken, complete = walk(None if by_quote else order.remaining, budget, levels, terms.instrument.step)
    if order.time_in_force is TimeInForce.FOK and not complete:
        taken, own, stops_at_own = [], [], False
    rests = not complete and not stops_at_own and _may_rest(order)
    trade_id = account.next_trade_id.get(order.symbol, 1)
    after, fills = execute(purse, order, taken, terms, trade_id, rests=rests, is_maker=False)
    after = replace(
        after,
        quantity=after.executed if by_quote else after.quantity,
        status=_status(after, complete=complete, rests=rests, stops_at_own=stops_at_own),
        met=levels_met(order.side, order.price, terms.last_e8, terms.instrument) if rests else 0,
    )
    hit = _hit(after, own, fills[-1].price if complete else None)
    return Worked(after, fills, _end_all(account, purse, hit, terms))


def _status(order: Order, *, complete: bool, rests: bool, stops_at_own: bool) -> Status:
    if complete:
        return Status.FILLED
    if rests:
        return Status.PARTIALLY_FILLED if order.executed else Status.NEW
    return Status.EXPIRED_IN_MATCH if stops_at_own else Status.EXPIRED


def _end_all(account: Account, purse: Purse, makers: list[Order], terms: Terms) -> tuple[Order, ...]:
    """Own orders that were in the way, each with its pair; both orders of a pair may have been."""
    gone: dict[tuple[str, int], Order] = {}
    for maker in makers:
        if maker.key not in gone:
            met, pair = Status.EXPIRED_IN_MATCH, Status.EXPIRED
            gone |= {one.key: one for one in end(account, purse, maker, terms.instrument, terms.now_ms, met, pair)}
    return tuple(gone.values())


def _may_rest(order: Order) -> bool:
    return order.type not in MARKET_TYPES and order.time_in_force is TimeInForce.GTC


def _budget(purse: Purse, order: Order, terms: Terms) -> Decimal | None:
    """A stop order that buys at any price must not spend more than there is; what that does not buy expires."""
    if order.quote_quantity > 0:
        return order.quote_quantity
    if order.side is Side.BUY and order.type in MARKET_TYPES & STOP_TYPES:
        return purse.balance(terms.instrument.quote).free + order.locked
    return None


def _hit(order: Order, own: list[Order], worst: Decimal | None) -> list[Order]:
    """The own orders that a taker ends: all up to the worst price it paid, or to its limit where it wanted more."""
    if order.self_trade is SelfTrade.EXPIRE_TAKER:
        return []
    if order.self_trade is SelfTrade.EXPIRE_BOTH:
        return own[:1] if order.status is Status.EXPIRED_IN_MATCH else []
    return [maker for maker in own if worst is None or within(order.side, worst, maker.price)]
