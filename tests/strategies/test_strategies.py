"""Every strategy does what it says, carries a stop, and knows nothing of the future."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bots.strategies.base import MAX_CANDLES, Action, Signal
from bots.strategies.registry import STRATEGIES, build, describe
from market.candles import Candles

each_strategy = pytest.mark.parametrize("name", STRATEGIES)


def signals(strategy, candles):
    """The signal after each warm candle, by row; a row with an undefined column is left out."""
    columns = strategy.columns(candles)
    rows = range(strategy.warmup, len(candles))
    warm = [i for i in rows if all(np.isfinite(column[i]) for column in columns.values())]
    return {i: strategy.at(candles, columns, i) for i in warm}


def smoothed(values, alpha):
    """Seeded with the first value: after the warm-up the seed no longer matters."""
    out = [values[0]]
    for value in values[1:]:
        out.append(out[-1] + alpha * (value - out[-1]))
    return np.array(out)


def rsi_rule(c):
    change = np.concatenate([[0.0], np.diff(c.close)])
    gain, loss = smoothed(np.maximum(change, 0), 1 / 14), smoothed(np.maximum(-change, 0), 1 / 14)
    with np.errstate(invalid="ignore"):  # the first row has no change yet
        rsi = 100 * gain / (gain + loss)
    return crossed_up(rsi, 30), crossed_up(rsi, 70)


def ema_rule(c):
    gap = smoothed(c.close, 2 / 10) - smoothed(c.close, 2 / 22)
    return crossed_up(gap, 0), crossed_up(-gap, 0)


def macd_rule(c):
    line = smoothed(c.close, 2 / 13) - smoothed(c.close, 2 / 27)
    gap = line - smoothed(line, 2 / 10)
    return crossed_up(gap, 0), crossed_up(-gap, 0)


def bollinger_rule(c):
    windows = np.lib.stride_tricks.sliding_window_view(c.close, 20)
    middle = np.concatenate([np.full(19, np.nan), windows.mean(axis=1)])
    lower = middle - 2 * np.concatenate([np.full(19, np.nan), windows.std(axis=1)])
    exits = c.close >= middle
    return crossed_up(c.close - lower, 0) & ~exits, exits


def donchian_rule(c):
    upper = np.array([np.nan] * 20 + [c.high[i - 20 : i].max() for i in range(20, len(c))])
    lower = np.array([np.nan] * 10 + [c.low[i - 10 : i].min() for i in range(10, len(c))])
    return crossed_up(c.close - upper, 0), c.close < lower


def crossed_up(values, level):
    above = values > level
    return np.concatenate([[False], above[1:] & ~above[:-1]])


RULES = {
    "rsi_reversal": rsi_rule,
    "ema_cross": ema_rule,
    "macd_cross": macd_rule,
    "bollinger_reversion": bollinger_rule,
    "donchian_breakout": donchian_rule,
}


@pytest.mark.parametrize(("name", "rule"), RULES.items(), ids=RULES.keys())
@pytest.mark.parametrize("seed", range(5))
def test_signals_follow_the_rule(walk, name, rule, seed):
    candles = walk(seed, 1000)
    enters, exits = rule(candles)
    for i, signal in signals(build(name, {}), candles).items():
        expected = Action.ENTER if enters[i] else Action.EXIT if exits[i] else Action.HOLD
        assert signal.action is expected, f"row {i}: {signal.reason}"


def test_every_strategy_has_its_rule_tested():
    assert set(RULES) == set(STRATEGIES)


@each_strategy
def test_the_defaults_trade_reasonably_often(walk, name):
    strategy = build(name, {})
    counts = [
        sum(signal.action is Action.ENTER for signal in signals(strategy, walk(seed, 1000)).values())
        for seed in range(10)
    ]
    assert min(counts) >= 1
    assert sum(counts) >= 50, counts


@each_strategy
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), cut=st.integers(400, 599))
def test_the_past_does_not_depend_on_the_future(name, seed, cut):
    strategy, whole = build(name, {}), make(seed, 600)
    until = whole[: cut + 1]
    columns = strategy.columns(whole)
    for key, column in strategy.columns(until).items():
        np.testing.assert_allclose(column, columns[key][: cut + 1], rtol=1e-9, atol=1e-12)
    then, now = strategy.evaluate(until), strategy.at(whole, columns, cut)
    assert (then.action, then.reason) == (now.action, now.reason)
    for ours, theirs in ((then.stop, now.stop), (then.target, now.target)):
        assert (ours is None and theirs is None) or math.isclose(ours, theirs, rel_tol=1e-9)


def make(seed, count):
    """A random walk without a fixture, for hypothesis."""
    rng = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.01, count)))
    high, low = close * (1 + rng.uniform(0, 0.01, count)), close * (1 - rng.uniform(0, 0.01, count))
    return Candles(np.arange(count, dtype=np.int64) * 900_000, close, high, low, close, np.ones(count))


@each_strategy
@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    stop_type=st.sampled_from(["atr", "percent"]),
    stop_atr=st.floats(0.25, 10),
    stop_percent=st.floats(0.1, 50),
    target_r=st.just(0.0) | st.floats(0.01, 20),
)
def test_every_entry_carries_a_stop_below_the_close(name, seed, stop_type, stop_atr, stop_percent, target_r):
    given_ = {"stop_type": stop_type, "stop_atr": stop_atr, "stop_percent": stop_percent, "target_r": target_r}
    candles = make(seed, 600)
    for i, signal in signals(build(name, given_), candles).items():
        close = candles.close[i]
        if signal.action is not Action.ENTER:
            assert signal.stop is None
            assert signal.target is None
            continue
        distance = stop_atr * signal.indicators["atr"] if stop_type == "atr" else close * stop_percent / 100
        assert 0 < signal.stop < close
        assert math.isclose(close - signal.stop, distance, rel_tol=1e-6)
        if target_r:
            assert math.isclose(signal.target - close, target_r * distance, rel_tol=1e-6)
        else:
            assert signal.target is None


@each_strategy
def test_a_signal_carries_finite_figures_and_a_reason(candles, name):
    for i, signal in signals(build(name, {}), candles).items():
        assert signal.reason
        assert signal.indicators["close"] == candles.close[i]
        assert {"close", "atr"} < set(signal.indicators)
        assert all(type(value) is float and math.isfinite(value) for value in signal.indicators.values())


@each_strategy
def test_a_stop_that_makes_no_sense_is_no_entry(candles, name):
    strategy = build(name, {})
    columns = strategy.columns(candles)
    entry = next(i for i, signal in signals(strategy, candles).items() if signal.action is Action.ENTER)
    for atr in (0.0, math.nan, math.inf, candles.close[entry]):
        spoilt = {**columns, "atr": np.full(len(candles), atr)}
        assert strategy.at(candles, spoilt, entry).action is Action.HOLD


@each_strategy
def test_the_last_candle_decides(candles, name):
    strategy = build(name, {})
    assert strategy.evaluate(candles) == strategy.at(candles, strategy.columns(candles), len(candles) - 1)


@each_strategy
def test_warming_up_is_a_hold(walk, name):
    strategy = build(name, {})
    short = walk(1, strategy.warmup - 1)
    assert strategy.evaluate(short).reason == f"warming up: {len(short)} of {strategy.warmup} candles"
    assert strategy.evaluate(walk(1, 0)).action is Action.HOLD


@each_strategy
def test_after_the_warm_up_every_column_is_defined(walk, name):
    bounds = {info.name: info for info in describe(name)}
    largest = {key: info.maximum for key, info in bounds.items() if info.type == "int" and key != "fast"}
    for parameters in ({}, largest):
        strategy = build(name, parameters)
        assert strategy.warmup <= MAX_CANDLES
        for column in strategy.columns(walk(1, strategy.warmup)).values():
            assert np.isfinite(column[-1])


@each_strategy
def test_the_seed_is_forgotten_after_the_warm_up(walk, name):
    strategy, long = build(name, {}), walk(1, 1000)
    fresh = strategy.columns(long[-strategy.warmup :])
    for key, column in strategy.columns(long).items():
        assert math.isclose(fresh[key][-1], column[-1], rel_tol=1e-5, abs_tol=1e-5), key


BAD = [np.nan, np.inf, -np.inf]


@each_strategy
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("field", ["open", "high", "low", "close", "volume"])
@pytest.mark.parametrize("row", [0, 500, 999])
def test_one_bad_number_is_a_hold(candles, name, bad, field, row):
    getattr(candles, field)[row] = bad
    assert build(name, {}).evaluate(candles).action is Action.HOLD


@each_strategy
@pytest.mark.parametrize("flat_from", [0, 900, 970])
def test_a_price_that_stands_still_is_a_hold(candles, name, flat_from):
    flat = [column.copy() for column in (candles.open, candles.high, candles.low, candles.close)]
    for column in flat:
        column[flat_from:] = candles.close[flat_from]
    still = replace(candles, open=flat[0], high=flat[1], low=flat[2], close=flat[3])
    signal = build(name, {}).evaluate(still)
    assert signal == Signal(Action.HOLD, "the price has not moved over the look-back: indicators mean nothing")


@each_strategy
@pytest.mark.parametrize("bad", BAD)
def test_a_bad_number_is_no_entry_in_a_backtest_either(candles, name, bad):
    candles.close[600] = bad
    assert max(signals(build(name, {}), candles), default=0) <= 600
