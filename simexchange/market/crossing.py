"""The first moment at which the market's price leaves a range: what wakes an open order."""

from __future__ import annotations

import numpy as np

from simexchange.market.candles import HIGH, LOW, OPEN_MS
from simexchange.market.market import Market
from simexchange.market.path import first_touch
from simexchange.market.timeframes import floor_to


def horizon_ms(market: Market, symbol: str, now_ms: int) -> int:
    """The last moment of the shortest candle that holds ``now_ms``: as far as it is worth looking ahead at once."""
    base = market.source.base_ms(symbol)
    return floor_to(now_ms, base) + base - 1


def first_crossing(
    market: Market, symbol: str, after_ms: int, until_ms: int, low: int | None, high: int | None
) -> int | None:
    """The first moment in ``(after_ms, until_ms]`` at which the last price is at or below ``low``, or at or above
    ``high`` (1e-8 quote), in the symbol's own resolution of one millisecond; None when there is none.

    ``until_ms`` may lie ahead of the present, up to the end of a candle: only the exchange itself looks there, to know
    how long it need not look again.
    """
    if after_ms >= until_ms:
        return None
    if _beyond(market.price_e8(symbol, after_ms + 1), low, high):
        return after_ms + 1
    base, tick = market.source.base_ms(symbol), market.source.instruments[symbol].tick_e8
    rows = market.source.rows(symbol, base, floor_to(after_ms, base), until_ms + 1, 10**9, "first")
    touching = np.zeros(len(rows), dtype=np.bool_)
    if low is not None:
        touching |= rows[:, LOW] <= low
    if high is not None:
        touching |= rows[:, HIGH] >= high
    for index in np.flatnonzero(touching).tolist():
        opened = int(rows[index, OPEN_MS])
        # A candle's last price stands until the next one opens, which may be at once.
        next_open = int(rows[index + 1, OPEN_MS]) if index + 1 < len(rows) else until_ms + 1
        start_ms, end_ms = max(opened, after_ms + 1), min(opened + base, next_open - 1, until_ms)
        found = first_touch(rows[index], base, tick, start_ms, end_ms, low, high)
        if found is not None:
            return found
    return None


def _beyond(price: int | None, low: int | None, high: int | None) -> bool:
    if price is None:
        return False
    return (low is not None and price <= low) or (high is not None and price >= high)
