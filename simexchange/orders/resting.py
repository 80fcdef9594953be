"""PURE. When the moving price meets an order that is open, and how much of it trades then.

An order that waits for its stop price triggers at the first moment at which the last price is at the stop price or
beyond it. However far a gap went: it is then worked at the price of that moment.

An order that rests in the book is filled as maker, at its own price, by the depth that the price has fallen (for a
buyer; risen for a seller) through. The invented book around its own price says what that is: when the last price has
come so far that the book's best offer would stand at the order's price, the first level of that book has traded with
it; one level gap further, the second one too; and so on. ``Order.met`` counts the levels, each trades once, and after
the last one the order is filled whatever its size. So the fill of an order depends only on how far the price went
through it since it began to rest, never on how often anyone looked. Orders of one account do not compete for depth.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from simexchange.amounts import to_e8
from simexchange.market import depth
from simexchange.market.instruments import Instrument
from simexchange.orders.order import Order, OrderType, Side

LEVELS = 40  # as deep as an order that takes may walk

_FALLING = {
    (Side.SELL, OrderType.STOP_LOSS): True,
    (Side.SELL, OrderType.STOP_LOSS_LIMIT): True,
    (Side.BUY, OrderType.TAKE_PROFIT): True,
    (Side.BUY, OrderType.TAKE_PROFIT_LIMIT): True,
    (Side.BUY, OrderType.STOP_LOSS): False,
    (Side.BUY, OrderType.STOP_LOSS_LIMIT): False,
    (Side.SELL, OrderType.TAKE_PROFIT): False,
    (Side.SELL, OrderType.TAKE_PROFIT_LIMIT): False,
}


@dataclass(frozen=True)
class Touch:
    """A last price (1e-8 quote) at or beyond which an order acts: from above when ``falling``, else from below."""

    price_e8: int
    falling: bool

    def reached(self, price_e8: int) -> bool:
        return price_e8 <= self.price_e8 if self.falling else price_e8 >= self.price_e8


def stop_touch(side: Side, kind: OrderType, stop_price: Decimal) -> Touch:
    """Where a stop order triggers."""
    return Touch(to_e8(stop_price), _FALLING[side, kind])


def next_touch(order: Order, instrument: Instrument) -> Touch:
    """Where an open order acts next."""
    if order.waiting:
        return stop_touch(order.side, order.type, order.stop_price)
    return _level_touch(order.side, order.price, order.met, instrument)


def levels_met(side: Side, price: Decimal, last_e8: int, instrument: Instrument) -> int:
    """How many levels a last price lies through an order at ``price``; 0 for one that does not trade."""
    met = 0
    while met < LEVELS and _level_touch(side, price, met, instrument).reached(last_e8):
        met += 1
    return met


def met_quantity(order: Order, met: int, instrument: Instrument) -> Decimal:
    """What trades when an order that had met ``order.met`` levels has met ``met`` of them, in base."""
    if met >= LEVELS:
        return order.remaining
    seed = to_e8(order.price) * 2 + (order.side is Side.SELL)
    offered = (depth.level_at(instrument, order.price, seed, level).quantity for level in range(order.met, met))
    return min(order.remaining, sum(offered, Decimal(0)))


def _level_touch(side: Side, price: Decimal, level: int, instrument: Instrument) -> Touch:
    away = depth.half_spread(price, instrument.tick) + depth.level_gap(price, instrument.tick) * level
    if side is Side.BUY:
        return Touch(int((price - away).scaleb(8).to_integral_value(ROUND_FLOOR)), falling=True)
    return Touch(int((price + away).scaleb(8).to_integral_value(ROUND_CEILING)), falling=False)
