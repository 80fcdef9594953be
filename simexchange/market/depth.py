"""PURE. An invented order book around the last price: what an order that takes walks through."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from simexchange.amounts import E8, to_decimal
from simexchange.market.instruments import Instrument

_HALF_SPREAD = Decimal("0.00002")  # of the price, at least half a tick
_LEVEL_GAP = Decimal("0.00005")  # of the price between one level and the next, at least one tick
_MASK = 2**64 - 1


@dataclass(frozen=True)
class Level:
    """An offer of ``quantity`` base at ``price`` quote."""

    price: Decimal
    quantity: Decimal


@dataclass(frozen=True)
class Book:
    """Both sides, best price first."""

    bids: list[Level]
    asks: list[Level]


def _unit(seed: int) -> float:
    """Repeatable number in [0, 1)."""
    x = (seed * 0x9E3779B97F4A7C15) & _MASK
    x = ((x ^ (x >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    x = ((x ^ (x >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((x ^ (x >> 31)) >> 11) / 2**53


def half_spread(price: Decimal, tick: Decimal) -> Decimal:
    """From the last price to the best offer of either side, before rounding to ticks."""
    return max(price * _HALF_SPREAD, tick / 2)


def level_gap(price: Decimal, tick: Decimal) -> Decimal:
    """From one level to the next: whole ticks."""
    return max((price * _LEVEL_GAP / tick).to_integral_value(), Decimal(1)) * tick


def book(instrument: Instrument, price_e8: int, levels: int) -> Book:
    """``levels`` offers per side around a last price in 1e-8 quote.

    It depends on the price alone, so the book a client has just read is the one its order meets while the price
    stands still. Offers grow with the distance from the price; the best one is about ``book_notional`` of quote.
    """
    tick = instrument.tick
    price = to_decimal(price_e8)
    half, gap = half_spread(price, tick), level_gap(price, tick)
    best_ask = ((price + half) / tick).to_integral_value(ROUND_CEILING) * tick
    best_bid = max(((price - half) / tick).to_integral_value(ROUND_FLOOR) * tick, tick)
    asks, bids = [], []
    for level in range(levels):
        asks.append(level_at(instrument, best_ask + gap * level, price_e8 * 2, level))
        bid = best_bid - gap * level
        if bid > 0:
            bids.append(level_at(instrument, bid, price_e8 * 2 + 1, level))
    return Book(bids, asks)


def level_at(instrument: Instrument, price: Decimal, seed: int, level: int) -> Level:
    """The offer at a price, ``level`` steps from the best; its size is a repeatable number drawn from the seed."""
    share = int((0.3 + 1.4 * _unit(seed * 1021 + level)) * (1 + 0.4 * level) * E8)
    quantity = instrument.book_notional * to_decimal(share) / price
    steps = max((quantity / instrument.step).to_integral_value(ROUND_FLOOR), Decimal(1))
    return Level(price, steps * instrument.step)
