"""Columns of candles: there and back, cut and joined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.candles import Candles

STEP_S = 900
STEP_MS = STEP_S * 1000
PRICES = st.floats(1e-9, 1e9)
FIRST = st.integers(1, 50)
ROW = st.tuples(PRICES, PRICES, PRICES, PRICES, st.floats(0, 1e12))


@st.composite
def windows(draw):
    """Ascending candles, here and there one missing."""
    opened = np.cumsum([draw(FIRST), *draw(st.lists(st.sampled_from([1, 1, 1, 2]), max_size=30))]) * STEP_MS
    rows = draw(st.lists(ROW, min_size=len(opened), max_size=len(opened)))
    return Candles.from_rows([(ms, *row) for ms, row in zip(opened, rows, strict=True)])


def rows_of(candles: Candles) -> list[tuple[float, ...]]:
    return list(zip(candles.opened_ms.tolist(), *(column.tolist() for column in candles.prices()), strict=True))


@given(windows())
def test_bytes_come_back_bit_for_bit(candles):
    data = candles.to_bytes()
    assert len(data) == 48 * len(candles)
    back = Candles.from_bytes(data)
    assert rows_of(back) == rows_of(candles)
    assert back.opened_ms.dtype == np.int64


def test_no_candles_come_back_too():
    empty = Candles.from_bytes(b"")
    assert len(empty) == 0
    assert empty.last_opened_ms is None
    assert len(Candles.from_rows([])) == 0


@pytest.mark.parametrize("size", [1, 8, 47, 49, 95])
def test_half_a_candle_is_refused(size):
    with pytest.raises(ValueError):
        Candles.from_bytes(b"\0" * size)


@given(older=windows(), newer=windows(), keep=st.integers(1, 60))
def test_merging_prefers_the_newer_and_stays_in_order(older, newer, keep):
    merged = older.merged(newer, keep)
    new_rows = rows_of(newer)
    expected = sorted({row[0]: row for row in rows_of(older) + new_rows}.values())
    assert rows_of(merged) == expected[-keep:]
    assert (np.diff(merged.opened_ms) > 0).all()


@given(windows(), st.integers(1, 60))
def test_merging_nothing_changes_nothing(candles, keep):
    assert rows_of(candles.merged(Candles.from_rows([]), keep)) == rows_of(candles)[-keep:]
    assert rows_of(Candles.from_rows([]).merged(candles, keep)) == rows_of(candles)[-keep:]


@given(windows(), st.integers(0, 120 * STEP_MS))
def test_closed_before_keeps_what_has_closed_and_nothing_else(candles, market_ms):
    kept = candles.closed_before(market_ms, STEP_S)
    assert rows_of(kept) == [row for row in rows_of(candles) if row[0] + STEP_MS <= market_ms]


@given(windows(), st.integers(0, 120 * STEP_MS))
def test_since_and_before_share_the_candles(candles, opened_ms):
    assert rows_of(candles.since(opened_ms)) == [row for row in rows_of(candles) if row[0] >= opened_ms]
