"""PURE. An order that takes from the book: what it finds there, what that costs, and whom of the account it meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal

from simexchange.amounts import to_decimal
from simexchange.market.depth import Book, Level
from simexchange.market.instruments import Instrument
from simexchange.orders.account import Account
from simexchange.orders.balances import Purse, bound, cut
from simexchange.orders.fees import Fees
from simexchange.orders.order import MARKET_TYPES, Fill, NewOrder, Order, Side

_ZERO = Decimal(0)


@dataclass(frozen=True)
class Terms:
    """What an order meets at a moment of market time: the last price (1e-8 quote) and the book around it, the average
    price of five minutes, and the fees."""

    instrument: Instrument
    last_e8: int
    book: Book
    average_price: Decimal
    fees: Fees
    now_ms: int

    @property
    def last_price(self) -> Decimal:
        return to_decimal(self.last_e8)


def paying(side: Side, instrument: Instrument) -> str:
    """The asset that an order of this side gives."""
    return instrument.quote if side is Side.BUY else instrument.base


def within(side: Side, limit: Decimal, price: Decimal) -> bool:
    """Whether a price is as good as the limit or better, for one who takes on ``side``."""
    return price <= limit if side is Side.BUY else price >= limit


def offers(order: NewOrder | Order, book: Book) -> list[Level]:
    """What the order may take, best first: a limit stops at its price."""
    levels = book.asks if order.side is Side.BUY else book.bids
    if order.type in MARKET_TYPES:
        return levels
    return [level for level in levels if within(order.side, order.price, level.price)]


def walk(
    quantity: Decimal | None, budget: Decimal | None, levels: Sequence[Level], step: Decimal
) -> tuple[list[Level], bool]:
    """What is taken from each offer, best first, and whether that is all that was wanted.

    ``quantity`` is in base, ``budget`` in quote. A budget buys whole steps of base while it affords one; alone, it is
    all that is wanted; beside a quantity it is a bound.
    """
    taken: list[Level] = []
    left, money = quantity, budget
    for offer in levels:
        wanted = offer.quantity if left is None else left
        if money is not None:
            affordable = (money / offer.price / step).to_integral_value(ROUND_FLOOR) * step
            wanted = min(wanted, affordable) if left is not None else affordable
        if wanted <= 0:
            return taken, left is None
        part = Level(offer.price, min(wanted, offer.quantity))
        taken.append(part)
        money = None if money is None else money - part.quantity * part.price
        left = None if left is None else left - part.quantity
        if left == 0 or (left is None and part.quantity == wanted):
            return taken, True
    return taken, False


def in_the_way(account: Account, order: Order) -> list[Order]:
    """Own orders resting on the other side that the order would trade with on its way to its limit, best first."""
    found = [
        own
        for own in account.of(order.symbol)
        if own.side is not order.side
        and not own.waiting
        and (order.type in MARKET_TYPES or within(order.side, order.price, own.price))
    ]
    return sorted(found, key=lambda own: own.price, reverse=order.side is Side.SELL)


def execute(
    purse: Purse, order: Order, levels: Sequence[Level], terms: Terms, trade_id: int, *, rests: bool, is_maker: bool
) -> tuple[Order, tuple[Fill, ...]]:
    """Trade with the levels, one fill each, and settle: the order with its sums, and the fills.

    What it pays is bound first, so that a fee cannot take it away; an order that ``rests`` keeps bound what the rest
    of it will cost, any other gives back what is left. Raises -2010 when the free balance does not cover it. Values of
    more than eight decimals are cut to eight, as the wire has no more.
    """
    pays, buying = paying(order.side, terms.instrument), order.side is Side.BUY
    values = [cut(level.price * level.quantity) for level in levels]
    traded, value = sum((level.quantity for level in levels), _ZERO), sum(values, _ZERO)
    kept = bound(order.side, order.price, order.remaining - traded) if rests else _ZERO
    purse.lock(pays, (value if buying else traded) + kept - order.locked)
    fills = []
    for number, (level, worth) in enumerate(zip(levels, values, strict=True)):
        received = (terms.instrument.base, level.quantity) if buying else (terms.instrument.quote, worth)
        purse.pay(pays, worth if buying else level.quantity)
        purse.receive(*received)
        asset, fee = terms.fees.charge(purse, received, worth, is_maker)
        fills.append(_fill(order, level, worth, trade_id + number, asset, fee, terms.now_ms, is_maker))
    after = replace(
        order,
        executed=order.executed + traded,
        quote_executed=order.quote_executed + value,
        locked=kept,
        updated_ms=terms.now_ms,
    )
    return after, tuple(fills)


def _fill(
    order: Order, level: Level, worth: Decimal, trade_id: int, asset: str, fee: Decimal, now_ms: int, is_maker: bool
) -> Fill:
    return Fill(
        symbol=order.symbol,
        trade_id=trade_id,
        order_id=order.order_id,
        side=order.side,
        price=level.price,
        quantity=level.quantity,
        quote_quantity=worth,
        commission=fee,
        commission_asset=asset,
        time_ms=now_ms,
        is_maker=is_maker,
        list_id=order.list_id,
    )
