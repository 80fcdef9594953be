"""PURE. Candles and prices that are not what the market made: hidden, frozen, or multiplied.

Each function takes rows as ``candles.py`` has them and returns others, or the very same array when there is nothing to
do: that is how a caller knows whether a fault has struck. All times are market time.
"""

from __future__ import annotations

import numpy as np

from simexchange.market.candles import CLOSE, HIGH, LOW, OPEN, OPEN_MS, QUOTE_VOLUME, TAKER_QUOTE, VOLUME, Rows

_LARGEST = 2.0**62


def hide_latest(rows: Rows, length_ms: int, now_ms: int, delay_ms: float, open_too: bool) -> Rows:
    """Without the candles that closed less than ``delay_ms`` ago; ``open_too`` takes the unfinished one with them."""
    closes = rows[:, OPEN_MS] + length_ms
    late = (closes <= now_ms) & (closes > now_ms - delay_ms)
    if not late.any():
        return rows
    return rows[~(late | (closes > now_ms))] if open_too else rows[~late]


def hide_range(rows: Rows, from_ms: int, to_ms: int) -> Rows:
    """Without the candles that open in ``[from_ms, to_ms)``."""
    hidden = (rows[:, OPEN_MS] >= from_ms) & (rows[:, OPEN_MS] < to_ms)
    return rows[~hidden] if hidden.any() else rows


def freeze(rows: Rows, length_ms: int, since_ms: int, price_e8: int, then: Rows, keep_volume: bool) -> Rows:
    """Candles that close after ``since_ms`` are flat at ``price_e8``, without volume unless it is kept.

    ``then`` is the candle that was being made at that moment, as it looked then; it stays like that. It has no rows if
    nothing had traded in it yet.
    """
    cut = np.isin(rows[:, OPEN_MS], then[:, OPEN_MS])
    flat = (rows[:, OPEN_MS] + length_ms > since_ms) & ~cut
    if not (flat | cut).any():
        return rows
    out = rows.copy()
    out[flat, OPEN : CLOSE + 1] = price_e8
    if len(then):
        out[cut] = then[-1]
    if keep_volume:
        out[:, VOLUME:] = rows[:, VOLUME:]
    else:
        out[flat, VOLUME:] = 0
    return out


def spike(rows: Rows, length_ms: int, factor: float, from_ms: int, to_ms: int | None, tick_e8: int) -> Rows:
    """Prices times ``factor``, on ticks, in the candles that reach into ``[from_ms, to_ms)`` (no end when None)."""
    hit = rows[:, OPEN_MS] + length_ms > from_ms
    if to_ms is not None:
        hit &= rows[:, OPEN_MS] < to_ms
    if not hit.any():
        return rows
    out = rows.copy()
    out[hit, OPEN : CLOSE + 1] = multiplied(rows[hit, OPEN : CLOSE + 1], factor, tick_e8)
    for column in (QUOTE_VOLUME, TAKER_QUOTE):
        out[hit, column] = multiplied(rows[hit, column], factor, 1)
    return out


def multiplied(values: Rows, factor: float, tick_e8: int) -> Rows:
    """Values (e8) times a factor on multiples of the tick; what was more than zero stays at least a tick."""
    ticks = np.rint(np.minimum(values * factor, _LARGEST) / tick_e8).astype(np.int64)
    out: Rows = np.where(values > 0, np.maximum(ticks, 1), ticks) * tick_e8
    return out


def last_print(day: Rows, price_e8: int) -> Rows:
    """A day's single row with another last price, which may be its high or low."""
    out = day.copy()
    out[:, CLOSE] = price_e8
    out[:, HIGH], out[:, LOW] = np.maximum(out[:, HIGH], price_e8), np.minimum(out[:, LOW], price_e8)
    return out
