"""Recent trades: invented, but of the same market as the candles."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from simexchange.market import trades
from simexchange.market.candles import HIGH, LOW, OPEN_MS, VOLUME
from simexchange.market.generated import GeneratedPrices
from simexchange.market.market import Market
from simexchange.market.path import partial, prices_at
from simexchange.market.timeframes import MINUTE_MS, floor_to

NOW_MS = 1_760_000_123_456
MARKET = Market(GeneratedPrices(seed=7))


def latest(symbol: str, now_ms: int, limit: int) -> list[trades.Trade]:
    rows = MARKET.finished(symbol, 1440, now_ms)
    return trades.latest(rows, MINUTE_MS, MARKET.instrument(symbol), now_ms, limit)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ATOMUSDT", "DOGEUSDT"])
@pytest.mark.parametrize("limit", [1, 500, 1000])
def test_trades_are_ordered_on_ticks_and_of_the_past(symbol: str, limit: int) -> None:
    instrument = MARKET.instrument(symbol)
    found = latest(symbol, NOW_MS, limit)
    assert len(found) == limit
    assert all(a.time_ms <= b.time_ms and a.id < b.id for a, b in pairwise(found))
    assert found[-1].time_ms <= NOW_MS
    assert all(trade.price_e8 % instrument.tick_e8 == 0 and trade.price_e8 > 0 for trade in found)
    assert all(trade.quantity_e8 % instrument.step_e8 == 0 and trade.quantity_e8 > 0 for trade in found)


def test_the_same_trades_are_seen_later() -> None:
    early, late = latest("ATOMUSDT", NOW_MS, 300), latest("ATOMUSDT", NOW_MS + 30_000, 1000)
    assert set(early) < set(late)


def test_trades_of_a_candle_stay_within_it_and_are_of_its_size() -> None:
    minute = floor_to(NOW_MS, MINUTE_MS) - MINUTE_MS
    row = MARKET.klines("ATOMUSDT", MINUTE_MS, minute, minute, 1, NOW_MS)[0]
    found = [trade for trade in latest("ATOMUSDT", NOW_MS, 1000) if minute <= trade.time_ms < minute + MINUTE_MS]
    assert all(row[LOW] <= trade.price_e8 <= row[HIGH] for trade in found)
    assert sum(trade.quantity_e8 for trade in found) == pytest.approx(int(row[VOLUME]), rel=0.3)
    assert {trade.taker_sells for trade in found} == {True, False}


def test_trades_follow_the_price_that_tickers_show() -> None:
    row = MARKET.finished("BTCUSDT", 1, NOW_MS)[0]
    shares = np.linspace(0, 1, 50).tolist()
    tick = MARKET.instrument("BTCUSDT").tick_e8
    shown = [int(partial(row, share, tick)[4]) for share in shares]
    assert np.abs(np.array(prices_at(row, shares, tick)) - shown).max() <= tick
    assert int(row[OPEN_MS]) <= NOW_MS
