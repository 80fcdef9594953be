"""Columns of candles: there and back, cut and joined."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.candles import Candles
from market.hygiene import cleaned

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
    expected = [row for row in rows_of(older) if row[0] < new_rows[0][0]] + new_rows
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


GOOD = (STEP_MS, 2.0, 3.0, 1.0, 2.0, 10.0)
NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((column, value) for column in (1, 2, 3, 4) for value in (NAN, INF, -INF, 0.0, -1.0)),
        *((5, value) for value in (NAN, INF, -1.0)),
        (0, 0.0),
        (0, -STEP_MS),
        (0, STEP_MS + 1),  # off the grid
        (2, 0.5),  # the high is below the low
    ],
)
def test_a_candle_that_cannot_be_real_is_dropped(column, value):
    bad = list(GOOD)
    bad[column] = value
    next_one = (2 * STEP_MS, *GOOD[1:])
    kept, dropped = cleaned(Candles.from_rows([bad, next_one]), STEP_S)
    assert (rows_of(kept), dropped) == ([next_one], 1)


@pytest.mark.parametrize("candle", [GOOD, (STEP_MS, 2.0, 2.0, 2.0, 2.0, 0.0)])
def test_a_real_candle_stays_even_without_trades(candle):
    kept, dropped = cleaned(Candles.from_rows([candle]), STEP_S)
    assert (rows_of(kept), dropped) == ([candle], 0)


@given(windows(), st.randoms(use_true_random=False), st.data())
def test_any_order_and_any_repetition_come_out_sorted_and_single(candles, random, data):
    rows = [(row[0], 5.0, 7.0, 3.0, *row[4:]) for row in rows_of(candles)]
    stale = [(row[0], 5.0, 7.0, 3.0, 4.0, 0.0) for row in data.draw(st.lists(st.sampled_from(rows), max_size=5))]
    shuffled = stale + random.sample(rows, len(rows))  # the repeated ones come first: the last wins
    kept, dropped = cleaned(Candles.from_rows(shuffled), STEP_S)
    assert rows_of(kept) == sorted(rows)
    assert dropped == len(stale)
    again, dropped_again = cleaned(kept, STEP_S)
    assert (rows_of(again), dropped_again) == (rows_of(kept), 0)


def test_nothing_is_clean():
    kept, dropped = cleaned(Candles.from_rows([]), STEP_S)
    assert (len(kept), dropped) == (0, 0)
