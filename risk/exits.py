"""When the stop or the target of an open position was reached, and at what price. PURE."""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from market.candles import Candles
from market.money import exact

STOP_LIMIT_OFFSET = Decimal("0.01")
"""How far below its stop price a protective stop at the exchange may still sell, as a fraction. A gap may jump over
it: the market exit that follows is the platform's."""


class ExitReason(StrEnum):
    """Why a position is closed."""

    STOP = "STOP"  # the price came down to the stop
    TARGET = "TARGET"  # the price went up to the target
    STRATEGY = "STRATEGY"  # the strategy's own EXIT signal
    OPERATOR = "OPERATOR"  # a human said so, or a rule that a human set up beforehand


@dataclass(frozen=True, slots=True)
class ExitCall:
    """Close now: why, at what price (quote) it was called, and which candle (open time, UTC ms) did, if one did."""

    reason: ExitReason
    price: Decimal
    opened_ms: int | None = None


def review_exits(
    stop_price: Decimal | None, target_price: Decimal | None, candles: Candles, held_since_ms: int = 0
) -> ExitCall | None:
    """The first exit that ``candles`` called for: those closed since a long position opened, oldest first.

    A candle that opened before ``held_since_ms`` (market time of the entry's fill) counts by its close alone: what it
    did before the entry happened to somebody else, and its low and high do not tell when they were.

    Within one candle, in this order:

    1. it opened at or below the stop (a gap): the stop, at the open;
    2. its low reached the stop: the stop, at the stop price;
    3. it opened at or above the target: the target, at the open;
    4. its high reached the target: the target, at the target price.

    A candle does not tell whether its low or its high came first, so the stop is believed first: a simulation that errs
    here errs against itself. A candle that is not all finite says nothing and is passed over.

    Prices are compared as exact decimals, a candle's float by its shortest spelling (``Decimal(str(x))``, which is the
    price the exchange printed): a low of 0.1 reaches a stop of 0.1.
    """
    candles = _as_held(candles, held_since_ms)
    for i in _suspects(stop_price, target_price, candles):
        call = _judge(stop_price, target_price, candles, int(i))
        if call is not None:
            return call
    return None


def review_price(stop_price: Decimal | None, target_price: Decimal | None, price: Decimal) -> ExitCall | None:
    """The exit that one price calls for: the stop at or below its price, the target at or above."""
    if stop_price is not None and price <= stop_price:
        return ExitCall(ExitReason.STOP, price)
    if target_price is not None and price >= target_price:
        return ExitCall(ExitReason.TARGET, price)
    return None


def _as_held(candles: Candles, held_since_ms: int) -> Candles:
    """The candles with those that are older than the position flattened to their close."""
    older = candles.opened_ms < held_since_ms
    if not older.any():
        return candles
    opening, high, low = (np.where(older, candles.close, c) for c in (candles.open, candles.high, candles.low))
    return Candles(candles.opened_ms, opening, high, low, candles.close, candles.volume)


def _suspects(stop_price: Decimal | None, target_price: Decimal | None, candles: Candles) -> NDArray[np.int64]:
    """Rows that may call an exit, found in floats. None is missed: rounding to floats keeps <= and >= true."""
    hit = np.zeros(len(candles), dtype=bool)
    if stop_price is not None:
        # Open as well as low: a candle whose open lies outside its own range is still obeyed.
        hit |= np.minimum(candles.open, candles.low) <= float(stop_price)
    if target_price is not None:
        hit |= np.maximum(candles.open, candles.high) >= float(target_price)
    finite = np.isfinite(candles.open) & np.isfinite(candles.high) & np.isfinite(candles.low)
    return np.flatnonzero(hit & finite)


def _judge(stop: Decimal | None, target: Decimal | None, candles: Candles, i: int) -> ExitCall | None:
    opened_ms = int(candles.opened_ms[i])
    opening, high, low = _price(candles.open[i]), _price(candles.high[i]), _price(candles.low[i])
    if stop is not None and opening <= stop:
        return ExitCall(ExitReason.STOP, opening, opened_ms)
    if stop is not None and low <= stop:
        return ExitCall(ExitReason.STOP, stop, opened_ms)
    if target is not None and opening >= target:
        return ExitCall(ExitReason.TARGET, opening, opened_ms)
    if target is not None and high >= target:
        return ExitCall(ExitReason.TARGET, target, opened_ms)
    return None


def _price(value: np.float64) -> Decimal:
    return Decimal(str(float(value)))


def stop_limit(stop_price: Decimal) -> Decimal:
    """The limit of a protective stop, before rounding to the tick."""
    with exact():
        return stop_price * (1 - STOP_LIMIT_OFFSET)
