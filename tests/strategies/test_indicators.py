"""Indicator columns equal the books' formulas, written out here once more, and never look ahead or make up values."""

from pathlib import Path

import numpy as np
import pytest

from bots.strategies import indicators


def mean_then_smoothed(values, first, period, alpha):
    """The mean of ``period`` values from row ``first`` on, smoothed with alpha from there."""
    out = np.full(len(values), np.nan)
    seed = first + period - 1
    if len(values) > seed:
        out[seed] = np.mean(values[first : seed + 1])
        for i in range(seed + 1, len(values)):
            out[i] = out[i - 1] + alpha * (values[i] - out[i - 1])
    return out


def wilder_rsi(close, period):
    change = np.concatenate([[np.nan], np.diff(close)])
    gain = mean_then_smoothed(np.maximum(change, 0), 1, period, 1 / period)
    loss = mean_then_smoothed(np.maximum(-change, 0), 1, period, 1 / period)
    return 100 * gain / (gain + loss)


def wilder_atr(high, low, close, period):
    before = np.concatenate([[np.nan], close[:-1]])
    true_range = np.max([high - low, np.abs(high - before), np.abs(low - before)], axis=0)
    return mean_then_smoothed(true_range, 1, period, 1 / period)


def ema(values, period, first=0):
    return mean_then_smoothed(values, first, period, 2 / (period + 1))


def macd_lines(close, fast, slow, signal):
    # Both averages begin together: the fast one is seeded with the candles just before the slow one's first value.
    line = ema(close, fast, first=slow - fast) - ema(close, slow)
    signal_line = ema(line, signal, first=slow - 1)
    line[: slow + signal - 2] = np.nan
    return line, signal_line


def rolling(values, period, function):
    out = np.full(len(values), np.nan)
    for i in range(period - 1, len(values)):
        out[i] = function(values[i - period + 1 : i + 1])
    return out


def shifted(values):
    return np.concatenate([[np.nan], values[:-1]])


def bands(close, period, deviations):
    middle, spread = rolling(close, period, np.mean), rolling(close, period, np.std)
    return middle + deviations * spread, middle, middle - deviations * spread


CASES = {
    "rsi": (lambda c: [indicators.rsi(c.close, 14)], lambda c: [wilder_rsi(c.close, 14)]),
    "rsi 2": (lambda c: [indicators.rsi(c.close, 2)], lambda c: [wilder_rsi(c.close, 2)]),
    "ema": (lambda c: [indicators.ema(c.close, 21)], lambda c: [ema(c.close, 21)]),
    "macd": (lambda c: indicators.macd(c.close, 12, 26, 9), lambda c: macd_lines(c.close, 12, 26, 9)),
    "bollinger": (lambda c: indicators.bollinger(c.close, 20, 2.5), lambda c: bands(c.close, 20, 2.5)),
    "atr": (
        lambda c: [indicators.atr(c.high, c.low, c.close, 14)],
        lambda c: [wilder_atr(c.high, c.low, c.close, 14)],
    ),
    "previous high": (
        lambda c: [indicators.previous_high(c.high, 20)],
        lambda c: [shifted(rolling(c.high, 20, np.max))],
    ),
    "previous low": (
        lambda c: [indicators.previous_low(c.low, 10)],
        lambda c: [shifted(rolling(c.low, 10, np.min))],
    ),
}

each_indicator = pytest.mark.parametrize(("compute", "formula"), CASES.values(), ids=CASES.keys())


@each_indicator
@pytest.mark.parametrize("start", [1e-6, 0.3, 100.0, 120_000.0])
def test_columns_equal_the_formula_at_any_price_level(walk, compute, formula, start):
    candles = walk(3, 400, start=start)
    scale = 1.0 if compute is CASES["rsi"][0] or compute is CASES["rsi 2"][0] else start
    for ours, theirs in zip(compute(candles), formula(candles), strict=True):
        np.testing.assert_allclose(ours / scale, theirs / scale, rtol=1e-7, atol=1e-9)


@each_indicator
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("row", [0, 5, 150, 299])
def test_from_the_first_bad_input_on_nothing_is_defined(walk, compute, formula, bad, row):
    candles = walk(3, 300)
    clean = [column.copy() for column in compute(candles)]
    for column in (candles.high, candles.low, candles.close):
        column[row] = bad
    for ours, expected in zip(compute(candles), clean, strict=True):
        np.testing.assert_array_equal(ours[:row], expected[:row])
        # The lines that look at the candles before a row are still defined at the bad row itself.
        np.testing.assert_array_equal(ours[row + 1 :], np.full(299 - row, np.nan))


@each_indicator
@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_candles_define_nothing(walk, compute, formula, count):
    for column in compute(walk(3, count)):
        assert column.shape == (count,)
        assert np.isnan(column).all()


@each_indicator
def test_inputs_are_not_changed(walk, compute, formula):
    candles, untouched = walk(3, 300), walk(3, 300)
    compute(candles)
    for ours, theirs in zip(candles.prices(), untouched.prices(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_the_rsi_of_a_price_that_does_not_move_is_not_defined(walk):
    close = walk(3, 300).close
    close[100:200] = close[100]
    rsi = indicators.rsi(close, 14)
    assert np.isnan(rsi[114:200]).all()
    assert np.isfinite(rsi[14:114]).all()
    assert np.isfinite(rsi[200:]).all()
    assert np.isnan(indicators.rsi(np.full(300, 5.0), 14)).all()


def test_an_rsi_of_zero_is_a_price_that_only_fell():
    assert indicators.rsi(np.linspace(100, 50, 100), 14)[-1] == 0.0


def test_the_table_of_candles_may_be_strided(walk):
    close = walk(3, 300).close
    table = np.zeros((300, 6))
    table[:, 4] = close
    np.testing.assert_array_equal(indicators.rsi(table[:, 4], 14), indicators.rsi(close, 14))


def test_only_one_file_imports_talib():
    root = Path(__file__).parents[2]
    floors = ("tradingplatform", "execution", "risk", "bots", "market", "notifications")
    importing = [
        path for floor in floors for path in (root / floor).rglob("*.py") if "import talib" in path.read_text()
    ]
    assert [str(path.relative_to(root)) for path in importing] == ["bots/strategies/indicators.py"]
