"""Where prices come from in a history: a path drawn from a seed, with calm, trends and gaps."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Literal

import numpy as np

from simexchange.amounts import E8
from simexchange.market.candles import (
    CLOSE,
    COLUMNS,
    HIGH,
    LOW,
    OPEN,
    OPEN_MS,
    QUOTE_VOLUME,
    TRADES,
    VOLUME,
    Rows,
    aggregate,
    between,
)
from simexchange.market.instruments import Instrument

MINUTE_MS = 60_000
BEGIN_MS = 1_760_000_040_000
"""A full minute, from which on there are prices."""

MINUTES = 480
_CENT_E8 = 10**6

BTC = Instrument("BTC", "USDT", Decimal("0.01"), Decimal("0.00001"), Decimal(5), Decimal(500), Decimal(20_000))
ETH = Instrument("ETH", "USDT", Decimal("0.01"), Decimal("0.0001"), Decimal(5), Decimal(500), Decimal(4_000))
BNB = Instrument("BNB", "USDT", Decimal("0.01"), Decimal("0.001"), Decimal(5), Decimal(500), Decimal(20_000))
FIRST_PRICE: Mapping[str, float] = {"BTCUSDT": 60_000.0, "ETHUSDT": 3_000.0, "BNBUSDT": 600.0}


class SeededPrices:
    """Candles of a minute. ``gap`` is the chance that a minute opens up to 6 % away from where the last one closed."""

    def __init__(self, seed: int, instruments: tuple[Instrument, ...] = (BTC, ETH), gap: float = 0.04) -> None:
        self._instruments = {instrument.symbol: instrument for instrument in instruments}
        draw = np.random.default_rng(seed)
        self._rows = {symbol: _path(draw, FIRST_PRICE[symbol], gap) for symbol in self._instruments}

    @property
    def instruments(self) -> dict[str, Instrument]:
        return self._instruments

    def base_ms(self, symbol: str) -> int:
        return MINUTE_MS

    def rows(
        self, symbol: str, length_ms: int, start_ms: int, end_ms: int, limit: int, keep: Literal["first", "last"]
    ) -> Rows:
        """Finished candles of any length, from those of a minute."""
        found = between(self._rows[symbol], start_ms, end_ms)
        if length_ms != MINUTE_MS:
            found = aggregate(found, length_ms)
        return found[-limit:] if keep == "last" else found[:limit]


def _path(draw: np.random.Generator, first: float, gap: float) -> Rows:
    moves = draw.normal(0.0, 0.002, MINUTES) + draw.choice((-0.001, 0.0, 0.001))
    jumps = np.where(draw.random(MINUTES) < gap, draw.uniform(-0.06, 0.04, MINUTES), 0.0)
    close = first * np.exp(np.cumsum(moves + jumps))
    opening = close * np.exp(-moves)
    wick = np.abs(draw.normal(0.0, 0.0008, (2, MINUTES)))
    rows = np.zeros((MINUTES, COLUMNS), dtype=np.int64)
    rows[:, OPEN_MS] = BEGIN_MS + np.arange(MINUTES) * MINUTE_MS
    rows[:, OPEN], rows[:, CLOSE] = _ticks(opening), _ticks(close)
    rows[:, HIGH] = _ticks(np.maximum(opening, close) * (1 + wick[0]))
    rows[:, LOW] = _ticks(np.minimum(opening, close) * (1 - wick[1]))
    rows[:, VOLUME], rows[:, QUOTE_VOLUME], rows[:, TRADES] = E8, rows[:, CLOSE], 10
    return rows


def _ticks(prices: np.ndarray) -> Rows:
    out: Rows = np.rint(prices * 100).astype(np.int64) * _CENT_E8
    return out
