"""PURE. Invented candles: the whole history and future of each market as a function of the seed.

Every candle is computed from its absolute time alone, so the same instant gives the same candle in any process, in any
order of asking. Prices are rounded to ticks once, at one minute; every longer candle adds up those minutes.
"""

from __future__ import annotations

from collections import OrderedDict
from functools import lru_cache
from typing import Literal

import numpy as np

from simexchange.amounts import E8
from simexchange.market import noise
from simexchange.market.candles import (
    CLOSE,
    COLUMNS,
    EMPTY,
    HIGH,
    LOW,
    OPEN,
    OPEN_MS,
    QUOTE_VOLUME,
    TAKER_BASE,
    TAKER_QUOTE,
    TRADES,
    VOLUME,
    Rows,
    aggregate,
    between,
)
from simexchange.market.factors import MINUTES, DayPath, Factor, day_path
from simexchange.market.instruments import Instrument
from simexchange.market.timeframes import DAY_MS, HOUR_MS, MINUTE_MS
from simexchange.market.universe import MARKET_MINUTE_VOL, MARKETS, InventedMarket

#: Trading begins on 2017-08-17, Binance's own first day.
LISTED_MS = 1_502_928_000_000
_TRADE_VALUE = 700.0  # mean value of one trade, in quote


class GeneratedPrices:
    """Source of final candles for the thirteen markets.

    Finished days are kept per symbol and timeframe, the least recently used are dropped once ``cache_bytes`` are held:
    memory is bounded however long the market runs, and a dropped day costs about half a millisecond to compute again.
    """

    def __init__(self, seed: int, cache_bytes: int = 64 * 2**20) -> None:
        self._seed = seed
        self._markets = {market.instrument.symbol: (index, market) for index, market in enumerate(MARKETS, start=1)}
        self._days: OrderedDict[tuple[str, int, int], Rows] = OrderedDict()
        self._held = 0
        self._cache_bytes = cache_bytes
        self._market_path = lru_cache(maxsize=256)(lambda day: day_path(Factor(seed, 0, MARKET_MINUTE_VOL), day))

    @property
    def instruments(self) -> dict[str, Instrument]:
        return {symbol: market.instrument for symbol, (_, market) in self._markets.items()}

    @property
    def held_bytes(self) -> int:
        """Size of the finished days that are kept."""
        return self._held

    def base_ms(self, symbol: str) -> int:
        """Length of the shortest candle there is."""
        return MINUTE_MS

    def rows(
        self, symbol: str, length_ms: int, start_ms: int, end_ms: int, limit: int, keep: Literal["first", "last"]
    ) -> Rows:
        """At most ``limit`` final candles that open in ``[start_ms, end_ms)``, from its beginning or its end."""
        start_ms = max(-(-start_ms // length_ms) * length_ms, LISTED_MS)
        end_ms = -(-end_ms // length_ms) * length_ms
        if keep == "last":
            start_ms = max(start_ms, end_ms - limit * length_ms)
        else:
            end_ms = min(end_ms, start_ms + limit * length_ms)
        if end_ms <= start_ms:
            return EMPTY
        days = range(start_ms // DAY_MS, (end_ms - 1) // DAY_MS + 1)
        pieces = [self._day(symbol, day, length_ms) for day in days]
        return between(pieces[0] if len(pieces) == 1 else np.concatenate(pieces), start_ms, end_ms)

    def _day(self, symbol: str, day: int, length_ms: int) -> Rows:
        """All candles of one UTC day."""
        key = (symbol, day, length_ms)
        found = self._days.get(key)
        if found is not None:
            self._days.move_to_end(key)
            return found
        if length_ms == MINUTE_MS:
            rows = self._minutes(symbol, day)
        elif length_ms > HOUR_MS:
            rows = aggregate(self._day(symbol, day, HOUR_MS), length_ms)
        else:
            minutes = self._days.get((symbol, day, MINUTE_MS))
            rows = aggregate(self._minutes(symbol, day) if minutes is None else minutes, length_ms)
        self._days[key] = rows
        self._held += rows.nbytes
        while self._held > self._cache_bytes:
            self._held -= self._days.popitem(last=False)[1].nbytes
        return rows

    def _minutes(self, symbol: str, day: int) -> Rows:
        index, market = self._markets[symbol]
        own = day_path(Factor(self._seed, index, market.own_vol), day)
        return minute_rows(
            market, day, self._market_path(day), own, noise.stream(self._seed, index, noise.CANDLE_SHAPE, day)
        )


def minute_rows(market: InventedMarket, day: int, common: DayPath, own: DayPath, random: np.random.Generator) -> Rows:
    """The 1,440 candles of a day from the common and the own factor.

    The price at each full minute is the path's; what it did within the minute follows the distribution of the extremes
    of a Brownian bridge: for a bridge from a to b with variance v, max = (a + b + sqrt((b - a)^2 - 2 v ln U)) / 2.
    """
    tick = market.instrument.tick_e8
    exact = np.exp(np.log(market.centre) + market.beta * common.levels + own.levels) * (E8 / tick)  # in ticks
    ticks = np.maximum(np.rint(exact).astype(np.int64), 1)
    before, after = exact[:-1], exact[1:]
    spread = np.sqrt((market.beta * common.vols) ** 2 + own.vols**2)  # relative
    variance = (spread * before) ** 2
    uniform = random.random((4, MINUTES))
    reach = np.sqrt((after - before) ** 2 - 2.0 * variance * np.log1p(-uniform[:2]))
    rows = np.empty((MINUTES, COLUMNS), dtype=np.int64)
    rows[:, OPEN_MS] = day * DAY_MS + np.arange(MINUTES) * MINUTE_MS
    rows[:, OPEN], rows[:, CLOSE] = ticks[:-1], ticks[1:]
    highest = np.rint((before + after + reach[0]) / 2).astype(np.int64)
    lowest = np.rint((before + after - reach[1]) / 2).astype(np.int64)
    rows[:, HIGH] = np.maximum(highest, np.maximum(rows[:, OPEN], rows[:, CLOSE]))
    rows[:, LOW] = np.maximum(np.minimum(lowest, np.minimum(rows[:, OPEN], rows[:, CLOSE])), 1)
    rows[:, OPEN : CLOSE + 1] *= tick
    # Volume swells with the size of the move, measured against the market's typical minute.
    surprise = (after - before) / before / np.hypot(market.beta * MARKET_MINUTE_VOL, market.own_vol)
    turnover = market.minute_turnover * np.exp(0.5 * random.standard_normal(MINUTES)) * (0.5 + 0.6 * np.abs(surprise))
    typical = (rows[:, HIGH] + rows[:, LOW] + rows[:, CLOSE]) / 3 / E8
    step = market.instrument.step_e8
    volume = np.maximum(np.rint(turnover / typical * (E8 / step)), 1.0) * step
    bought = np.clip(0.5 + 0.2 * np.tanh(surprise) + 0.2 * (uniform[2] - 0.5), 0.05, 0.95)
    taker = np.floor(volume * bought / step) * step
    rows[:, VOLUME], rows[:, TAKER_BASE] = volume, taker
    rows[:, QUOTE_VOLUME], rows[:, TAKER_QUOTE] = np.rint(volume * typical), np.rint(taker * typical)
    rows[:, TRADES] = 1 + turnover / _TRADE_VALUE * (0.5 + uniform[3])
    return rows
