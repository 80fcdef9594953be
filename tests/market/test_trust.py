"""On which windows nothing may be entered: made ones, and two real outages replayed candle by candle."""

import numpy as np
import pytest

from bots.strategies.registry import STRATEGIES, build
from market.candles import Candles
from market.trust import STANDSTILL, believed, implausible, why_not_trusted
from tests.market.test_candles import STEP_MS, STEP_S
from tests.recordings import recorded

LOOK_BACK = 20


def calm(count: int = 60) -> Candles:
    """Candles around 100 that move a little and trade."""
    close = 100 + np.arange(count) % 5 / 10
    opened = (np.arange(count) + 1) * STEP_MS
    return Candles(opened.astype(np.int64), close, close + 0.2, close - 0.2, close, np.full(count, 3.0))


def without(candles: Candles, *rows: int) -> Candles:
    return candles[np.delete(np.arange(len(candles)), rows)]


def changed(candles: Candles, row: int, **columns: float) -> Candles:
    names = ("open", "high", "low", "close", "volume")
    copies = {name: column.copy() for name, column in zip(names, candles.prices(), strict=True)}
    for name, value in columns.items():
        copies[name][row] = value
    return Candles(candles.opened_ms, **copies)


def still(candles: Candles, count: int) -> Candles:
    for row in range(-count, 0):
        candles = changed(candles, row, open=100.0, high=100.0, low=100.0, close=100.0)
    return candles


CASES = {
    "calm": (calm(), ""),
    "a hole in the look-back": (without(calm(), 50), "1 candles are missing"),
    "two": (without(calm(), 45, 46), "2 candles are missing"),
    "the last candle but one is missing": (without(calm(), 58), "1 candles are missing"),
    "a hole at the far end of the look-back": (without(calm(), 60 - LOOK_BACK), "1 candles are missing"),
    "a hole before it": (without(calm(), 60 - LOOK_BACK - 2), ""),
    "the last candle without a trade": (changed(calm(), -1, volume=0.0), "1 candles in the look-back are without"),
    "one in the look-back": (changed(calm(), 45, volume=0.0), "1 candles in the look-back are without"),
    "one before it": (changed(calm(), 60 - LOOK_BACK - 2, volume=0.0), ""),
    "ten times as high": (changed(calm(), -1, high=1000.0, close=1000.0), "jump is not believed"),
    "a tenth": (changed(calm(), -1, low=10.0, close=10.0), "jump is not believed"),
    "a wick": (changed(calm(), -1, low=10.0), "jump is not believed"),
    "a standstill": (still(calm(), STANDSTILL), "stood still"),
    "not long enough to tell": (still(calm(), STANDSTILL - 1), ""),
    "too few to tell": (calm(1), ""),
}


@pytest.mark.parametrize(("candles", "why"), CASES.values(), ids=CASES.keys())
def test_why_not_trusted(candles, why):
    told = why_not_trusted(candles, LOOK_BACK, STEP_S)
    assert why in told
    assert bool(why) == bool(told)


def test_a_last_candle_that_is_not_believed_calls_no_stop():
    bad = changed(calm(), -1, low=10.0)
    assert implausible(bad)
    assert len(believed(bad)) == len(bad) - 1
    assert len(believed(calm())) == len(calm())


@pytest.mark.parametrize("name", ["NEO_BTC-1h-outage", "ETH_USDT-1h-outage"])
@pytest.mark.parametrize("strategy", sorted(STRATEGIES))
def test_no_entry_is_decided_on_a_real_outage(name, strategy):
    """Binance, 2018-06-26: NEO shows ten candles without a trade, ETH shows none at all."""
    candles, look_back = recorded(name), build(strategy, {}).longest_period
    trusted = 0
    for end in range(look_back + 1, len(candles) + 1):
        seen = candles[:end]
        window = seen[-(look_back + 1) :]
        hole = bool((np.diff(window.opened_ms) > 3_600_000).any())
        frozen = bool((window.volume == 0).any())
        told = why_not_trusted(seen, look_back, 3600)
        assert bool(told) or not (hole or frozen)
        trusted += not told
    assert trusted > len(candles) / 2  # and the other way round: most of the time there is nothing to object to
