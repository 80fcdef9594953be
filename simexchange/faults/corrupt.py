"""PURE. Candles that no exchange should ever publish, as rows of a klines answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

Kline = list[object]  # as on the wire: open time, open, high, low, close, volume, close time, ...
_OPEN_MS, _OPEN, _HIGH, _LOW, _CLOSE, _CLOSE_MS = 0, 1, 2, 3, 4, 6
_FUTURE_CANDLES = 10  # how far ahead a candle of the future lies


def _with_prices(row: Kline, price: object) -> Kline:
    return [row[_OPEN_MS], price, price, price, price, *row[5:]]


def _nan(rows: list[Kline], at: int) -> list[Kline]:
    return [*rows[:at], _with_prices(rows[at], "NaN"), *rows[at + 1 :]]


def _null(rows: list[Kline], at: int) -> list[Kline]:
    return [*rows[:at], _with_prices(rows[at], None), *rows[at + 1 :]]


def _zero(rows: list[Kline], at: int) -> list[Kline]:
    return [*rows[:at], _with_prices(rows[at], "0.00000000"), *rows[at + 1 :]]


def _negative(rows: list[Kline], at: int) -> list[Kline]:
    row = rows[at]
    turned = [f"-{value}" for value in row[_OPEN : _CLOSE + 1]]
    return [*rows[:at], [row[_OPEN_MS], *turned, *row[5:]], *rows[at + 1 :]]


def _inverted(rows: list[Kline], at: int) -> list[Kline]:
    """The high where the low should be; a candle without range gets its close as ten times its high."""
    row = list(rows[at])
    row[_HIGH], row[_LOW] = row[_LOW], row[_HIGH]
    if row[_HIGH] == row[_LOW]:
        row[_CLOSE] = f"{float(str(row[_HIGH])) * 10:.8f}"
    return [*rows[:at], row, *rows[at + 1 :]]


def _duplicated(rows: list[Kline], at: int) -> list[Kline]:
    return [*rows[: at + 1], rows[at], *rows[at + 1 :]]


def _out_of_order(rows: list[Kline], at: int) -> list[Kline]:
    """The row changes places with the one before it (the first one with the second)."""
    mixed, first = list(rows), max(at, 1)
    if len(rows) > 1:
        mixed[first - 1], mixed[first] = mixed[first], mixed[first - 1]
    return mixed


def _future(rows: list[Kline], at: int) -> list[Kline]:
    """A copy of the row, ten candles after the last, at the end."""
    row, last = list(rows[at]), rows[-1]
    length_ms = _integer(row[_CLOSE_MS]) - _integer(row[_OPEN_MS]) + 1
    row[_OPEN_MS] = _integer(last[_OPEN_MS]) + _FUTURE_CANDLES * length_ms
    row[_CLOSE_MS] = _integer(row[_OPEN_MS]) + length_ms - 1
    return [*rows, row]


def _short(rows: list[Kline], at: int) -> list[Kline]:
    return [*rows[:at], rows[at][:3], *rows[at + 1 :]]


def _integer(value: object) -> int:
    assert isinstance(value, int)
    return value


_SPOIL: Mapping[str, Callable[[list[Kline], int], list[Kline]]] = {
    "nan": _nan,  # the prices are "NaN"
    "null": _null,  # the prices are null
    "zero": _zero,  # the prices are 0
    "negative": _negative,  # the prices are negative
    "inverted": _inverted,  # high and low are exchanged
    "duplicated": _duplicated,  # the row stands there twice
    "out_of_order": _out_of_order,  # the row and the one before it are exchanged
    "future": _future,  # one more row, ten candles ahead
    "short": _short,  # the row ends after the high
}
SHAPES = tuple(_SPOIL)


def corrupt(rows: list[Kline], shape: str, row: int) -> list[Kline]:
    """The answer with one row spoiled. ``row`` counts as in a list, from the end when negative; one that is not there
    means the nearest. An empty answer stays empty."""
    if not rows:
        return rows
    at = row if row >= 0 else len(rows) + row
    return _SPOIL[shape](rows, min(max(at, 0), len(rows) - 1))
