"""What may not pass the border: a row per defect, and properties of what does pass."""

import itertools
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.candles import Candles
from market.hygiene import Defect, cleaned, without_bad_prints
from tests.market.test_candles import STEP_MS, STEP_S, rows_of, windows
from tests.recordings import recorded

GOOD = (STEP_MS, 2.0, 3.0, 1.0, 2.0, 10.0)  # open time, open, high, low, close, volume
NAN, INF = float("nan"), float("inf")
NEWEST_MS = 5 * STEP_MS


def spoilt(column: int, value: float) -> list[float]:
    row = list(GOOD)
    row[column] = value
    return row


IMPOSSIBLE = [
    *((Defect.NOT_A_NUMBER, column, value) for column in (1, 2, 3, 4, 5) for value in (NAN, INF, -INF)),
    *((Defect.NOT_POSITIVE, column, value) for column in (1, 2, 3, 4) for value in (0.0, -1.0)),
    (Defect.NOT_POSITIVE, 5, -1.0),
    (Defect.INVERTED, 2, 0.5),  # the high is below the low
    (Defect.INVERTED, 2, 1.9),  # the high is below the open
    (Defect.INVERTED, 3, 2.1),  # the low is above the close
    (Defect.INVERTED, 4, 3.1),  # the close is above the high
    (Defect.OFF_GRID, 0, 0.0),
    (Defect.OFF_GRID, 0, -STEP_MS),
    (Defect.OFF_GRID, 0, STEP_MS + 1),
    (Defect.FUTURE, 0, NEWEST_MS + STEP_MS),
]


@pytest.mark.parametrize(("defect", "column", "value"), IMPOSSIBLE)
def test_a_candle_that_cannot_be_real_is_left_out_and_counted(defect, column, value):
    next_one = (2 * STEP_MS, *GOOD[1:])
    found = cleaned(Candles.from_rows([spoilt(column, value), next_one]), STEP_S, NEWEST_MS)
    assert (rows_of(found.candles), found.defects, found.dropped) == ([next_one], Counter({defect: 1}), 1)


@pytest.mark.parametrize("candle", [GOOD, (STEP_MS, 2.0, 2.0, 2.0, 2.0, 0.0), (NEWEST_MS, *GOOD[1:])])
def test_a_real_candle_stays_even_without_trades(candle):
    found = cleaned(Candles.from_rows([candle]), STEP_S, NEWEST_MS)
    assert (rows_of(found.candles), found.dropped, found.defects) == ([candle], 0, Counter())


def test_without_a_bound_no_time_is_too_late():
    assert len(cleaned(Candles.from_rows([(10**6 * STEP_MS, *GOOD[1:])]), STEP_S).candles) == 1


@given(windows(), st.randoms(use_true_random=False), st.data())
def test_any_order_and_any_repetition_come_out_sorted_and_single(candles, random, data):
    rows = [(row[0], 5.0, 7.0, 3.0, 4.0, row[5]) for row in rows_of(candles)]
    stale = [(row[0], 5.0, 7.0, 3.0, 6.0, 0.0) for row in data.draw(st.lists(st.sampled_from(rows), max_size=5))]
    shuffled = stale + random.sample(rows, len(rows))  # the repeated ones come first: the last wins
    found = cleaned(Candles.from_rows(shuffled), STEP_S)
    assert rows_of(found.candles) == sorted(rows)
    assert (found.dropped, found.defects[Defect.REPEATED]) == (len(stale), len(stale))
    falls = sum(later[0] < earlier[0] for earlier, later in itertools.pairwise(shuffled))
    assert found.defects[Defect.UNORDERED] == falls
    again = cleaned(found.candles, STEP_S)
    assert (rows_of(again.candles), again.defects) == (rows_of(found.candles), Counter())


def test_nothing_is_clean():
    found = cleaned(Candles.from_rows([]), STEP_S)
    assert (len(found.candles), found.dropped) == (0, 0)


# bad prints


def window(*candles: tuple[float, float, float, float]) -> Candles:
    """Candles of (open, high, low, close), one after the other."""
    return Candles.from_rows([(i * STEP_MS, *prices, 1.0) for i, prices in enumerate(candles, start=1)])


CALM = (100.0, 101.0, 99.0, 100.0)
PRINTS = {
    # the candles -> the numbers of those that stay
    "ten times as high": ([CALM, (100, 1000, 99, 1000), CALM], [1, 3]),
    "a tenth": ([CALM, (100, 101, 10, 10), CALM], [1, 3]),
    "a wick upwards": ([CALM, (100, 1000, 99, 100), CALM], [1, 3]),
    "a wick downwards": ([CALM, (100, 101, 10, 100), CALM], [1, 3]),
    "and the next one opens there": ([CALM, (100, 1000, 99, 1000), (1000, 1000, 99, 100), CALM], [1, 4]),
    "two in a row agree": ([CALM, (100, 1000, 99, 1000), (1000, 1001, 999, 1000), CALM], [1, 2, 3, 4]),
    "a crash stays": ([CALM, (100, 100, 40, 40), (40, 41, 39, 40)], [1, 2, 3]),
    "a rally stays": ([CALM, (100, 250, 99, 250), (250, 260, 240, 255)], [1, 2, 3]),
    "just within": ([CALM, (100, 200, 50, 100), CALM], [1, 2, 3]),
    "just beyond": ([CALM, (100, 200.1, 50, 100), CALM], [1, 3]),
    "the last one has no neighbour yet": ([CALM, CALM, (100, 1000, 99, 1000)], [1, 2, 3]),
    "nor has the first": ([(1000, 1000, 100, 100), CALM, CALM], [1, 2, 3]),
    "two candles are too few to tell": ([CALM, (100, 1000, 99, 1000)], [1, 2]),
}


@pytest.mark.parametrize(("candles", "staying"), PRINTS.values(), ids=PRINTS.keys())
def test_bad_prints(candles, staying):
    found = without_bad_prints(window(*candles))
    assert (found.candles.opened_ms // STEP_MS).tolist() == staying
    assert found.defects[Defect.BAD_PRINT] == found.dropped == len(candles) - len(staying)


@given(windows())
def test_what_is_left_holds_no_bad_print(candles):
    left = without_bad_prints(candles).candles
    assert without_bad_prints(left).dropped == 0
    assert set(left.opened_ms.tolist()) <= set(candles.opened_ms.tolist())


FILES = {
    "ADA_BTC-5m": 300,
    "XMR_BTC-5m": 300,
    "NEO_BTC-1h-outage": 3600,
    "ETH_USDT-1h-outage": 3600,
    "BTC_USDT-4h": 14400,
    "gappy-1m": 60,
}


@pytest.mark.parametrize(("name", "interval_s"), FILES.items())
def test_nothing_of_real_candles_is_lost(name, interval_s):
    candles = recorded(name)
    found = cleaned(candles, interval_s)
    assert (found.dropped, without_bad_prints(found.candles).dropped) == (0, 0)
    assert np.array_equal(found.candles.close, candles.close)
