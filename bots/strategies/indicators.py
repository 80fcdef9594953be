"""Indicator columns out of TA-Lib, guarded. PURE; the only file that imports talib.

Every function takes float64 columns of shape (n,) and returns columns of shape (n,), NaN where not yet defined; row i
depends on rows 0..i only. TA-Lib turns one NaN into an RSI of 0.0 for ever after and forgets it in a rolling maximum,
and calls the RSI of a price that does not move 0.0: each would read as a signal. So here everything from the first
non-finite input on is NaN, and so is the RSI of a look-back without a price change.
"""

from collections.abc import Callable, Sequence

import numpy as np
import talib

from market.candles import Column


def rsi(close: Column, period: int) -> Column:
    """Relative strength index, 0 to 100, smoothed with alpha = 1 / period (Wilder 1978, section VI)."""
    values = _guarded(lambda column: talib.RSI(column, timeperiod=period), [close])[0]
    values[_unmoved_rows(close, period)] = np.nan
    return values


def ema(close: Column, period: int) -> Column:
    """Exponential moving average, alpha = 2 / (period + 1), seeded with the mean of the first ``period`` values."""
    return _guarded(lambda column: talib.EMA(column, timeperiod=period), [close])[0]


def macd(close: Column, fast: int, slow: int, signal: int) -> tuple[Column, Column]:
    """The MACD line, EMA(fast) - EMA(slow), and its signal line, the EMA of that (Appel 2005, chapter 8)."""
    line, signal_line, _ = _guarded(lambda column: talib.MACD(column, fast, slow, signal), [close])
    return line, signal_line


def bollinger(close: Column, period: int, deviations: float) -> tuple[Column, Column, Column]:
    """Upper, middle and lower band: the mean of ``period`` values, and ``deviations`` population standard deviations
    above and below it (Bollinger 2001, chapter 7).
    """
    upper, middle, lower = _guarded(lambda column: talib.BBANDS(column, period, deviations, deviations), [close])
    return upper, middle, lower


def atr(high: Column, low: Column, close: Column, period: int) -> Column:
    """Average true range in price units, smoothed with alpha = 1 / period (Wilder 1978, section III)."""
    return _guarded(lambda h, low_, c: talib.ATR(h, low_, c, timeperiod=period), [high, low, close])[0]


def previous_high(high: Column, period: int) -> Column:
    """The highest of the ``period`` values before each row, that row excluded (a Donchian channel's upper line)."""
    return previous(_guarded(lambda column: talib.MAX(column, timeperiod=period), [high])[0])


def previous_low(low: Column, period: int) -> Column:
    """The lowest of the ``period`` values before each row, that row excluded (a Donchian channel's lower line)."""
    return previous(_guarded(lambda column: talib.MIN(column, timeperiod=period), [low])[0])


def previous(column: Column) -> Column:
    """The column one row later: row i holds what row i-1 held, the first row NaN."""
    shifted = np.full(len(column), np.nan)
    shifted[1:] = column[:-1]
    return shifted


def _guarded(indicator: Callable[..., object], inputs: Sequence[Column]) -> list[Column]:
    """The indicator over the rows before the first non-finite input, NaN from there on."""
    count = _finite_rows(inputs)
    # TA-Lib wants contiguous float64; a slice of a table's column is neither by promise.
    clean = [np.ascontiguousarray(column[:count], dtype=np.float64) for column in inputs]
    answer = indicator(*clean)
    outputs = answer if isinstance(answer, tuple) else (answer,)
    return [_padded(np.asarray(output, dtype=np.float64), len(inputs[0])) for output in outputs]


def _finite_rows(inputs: Sequence[Column]) -> int:
    broken = ~np.logical_and.reduce([np.isfinite(column) for column in inputs])
    return int(np.argmax(broken)) if broken.any() else len(broken)


def _padded(column: Column, length: int) -> Column:
    padded = np.full(length, np.nan)
    padded[: len(column)] = column
    return padded


def _unmoved_rows(close: Column, period: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Rows whose last ``period`` changes are all zero."""
    unmoved = np.zeros(len(close), dtype=bool)
    if len(close) > period:
        changed = np.concatenate([[0], np.cumsum(np.diff(close) != 0)])
        unmoved[period:] = changed[period:] == changed[:-period]
    return unmoved
