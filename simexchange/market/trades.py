"""PURE. Invented recent trades: as many, as large and at such prices as the candles say.

A candle knows how often, how much and between which prices it traded; the trades are spread over it along the path
that its price took (``path.py``). The same candle always has the same trades. Ids ascend and are unique per symbol, but
not consecutive; quantities add up to the candle's volume only roughly.
"""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np

from simexchange.market.candles import OPEN_MS, TAKER_BASE, TRADES, VOLUME, Rows
from simexchange.market.instruments import Instrument
from simexchange.market.noise import Floats
from simexchange.market.path import prices_at

MOST = 1_000  # trades of one candle, and of one answer
_IDS_PER_CANDLE = 10_000


@dataclass(frozen=True)
class Trade:
    """``price``, ``quantity`` in 1e-8 units; ``taker_sells`` is Binance's isBuyerMaker."""

    id: int
    price_e8: int
    quantity_e8: int
    time_ms: int
    taker_sells: bool


def latest(rows: Rows, length_ms: int, instrument: Instrument, now_ms: int, limit: int) -> list[Trade]:
    """The last ``limit`` trades up to now, oldest first, from finished candles (``Market`` cuts none of them off)."""
    found: list[Trade] = []
    for row in reversed(rows):
        inside = [trade for trade in _of_candle(row, length_ms, instrument) if trade.time_ms <= now_ms]
        found = inside[-(limit - len(found)) :] + found
        if len(found) >= limit:
            break
    return found


def _of_candle(row: Rows, length_ms: int, instrument: Instrument) -> list[Trade]:
    count = min(int(row[TRADES]), MOST)
    if count == 0:
        return []
    open_ms, volume = int(row[OPEN_MS]), int(row[VOLUME])
    jitter, size, side = _units(open_ms, instrument.symbol, count)
    shares = (np.arange(count) + jitter) / count
    prices = prices_at(row, shares.tolist(), instrument.tick_e8)
    step = instrument.step_e8
    quantities = np.maximum(np.rint(volume / count * (0.2 + 1.6 * size) / step).astype(np.int64), 1) * step
    sells = side >= (int(row[TAKER_BASE]) / volume if volume else 0.5)
    first_id = open_ms // 60_000 * _IDS_PER_CANDLE
    return [
        Trade(first_id + number, prices[number], int(quantities[number]), at, bool(sells[number]))
        for number, at in enumerate((open_ms + shares * length_ms).astype(np.int64).tolist())
    ]


def _units(open_ms: int, symbol: str, count: int) -> tuple[Floats, Floats, Floats]:
    """Three rows of repeatable numbers in [0, 1) for a symbol's candle."""
    drawn = np.random.Generator(np.random.Philox(key=[open_ms, crc32(symbol.encode())])).random((3, count))
    return drawn[0], drawn[1], drawn[2]
