"""Which exit a candle calls for, at what price, in what order."""

from decimal import Decimal as D

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.candles import Candles
from risk.exits import ExitCall, ExitReason, review_exits

STOP, TARGET = D("95.10"), D("110.30")


def candles(*rows):
    """Rows of open, high, low, close, one minute apart."""
    return Candles.from_rows([(i * 60_000, *row, 1.0) for i, row in enumerate(rows)])


QUIET = (100.0, 101.0, 99.0, 100.0)

TABLE = {
    "nothing": ([QUIET], None),
    "gap below the stop": ([(94.0, 96.0, 93.0, 95.0)], (ExitReason.STOP, "94.0", 0)),
    "opens at the stop": ([(95.1, 96.0, 93.0, 95.0)], (ExitReason.STOP, "95.10", 0)),
    "low at the stop": ([(100.0, 101.0, 95.1, 100.0)], (ExitReason.STOP, "95.10", 0)),
    "low one tick above the stop": ([(100.0, 101.0, 95.11, 100.0)], None),
    "gap above the target": ([(112.0, 113.0, 111.0, 112.0)], (ExitReason.TARGET, "112.0", 0)),
    "opens at the target": ([(110.3, 113.0, 109.0, 112.0)], (ExitReason.TARGET, "110.30", 0)),
    "high at the target": ([(100.0, 110.3, 99.0, 100.0)], (ExitReason.TARGET, "110.30", 0)),
    "high one tick below the target": ([(100.0, 110.29, 99.0, 100.0)], None),
    "stop and target in one candle": ([(100.0, 111.0, 95.0, 100.0)], (ExitReason.STOP, "95.10", 0)),
    "gap below and target in one candle": ([(94.0, 111.0, 94.0, 100.0)], (ExitReason.STOP, "94.0", 0)),
    "gap above and stop in one candle": ([(112.0, 113.0, 95.0, 100.0)], (ExitReason.STOP, "95.10", 0)),
    "target first, stop later": (
        [QUIET, (100.0, 111.0, 99.0, 100.0), (94.0, 94.0, 94.0, 94.0)],
        (ExitReason.TARGET, "110.30", 60_000),
    ),
    "stop first, target later": (
        [QUIET, QUIET, (96.0, 96.0, 95.0, 96.0), (120.0, 120.0, 120.0, 120.0)],
        (ExitReason.STOP, "95.10", 120_000),
    ),
    "a broken candle is passed over": (
        [(100.0, np.nan, 90.0, 100.0), (-np.inf, 100.0, -np.inf, 100.0), (96.0, 96.0, 95.0, 96.0)],
        (ExitReason.STOP, "95.10", 120_000),
    ),
}


@pytest.mark.parametrize(("rows", "call"), TABLE.values(), ids=TABLE.keys())
def test_exits(rows, call):
    expected = call and ExitCall(call[0], D(call[1]), call[2])
    assert review_exits(STOP, TARGET, candles(*rows)) == expected


def test_without_candles_nothing_is_called():
    assert review_exits(STOP, TARGET, candles(QUIET)[:0]) is None


@pytest.mark.parametrize("row", [(1.0, 1e9, 0.5, 1.0), (1e9, 1e9, 1e9, 1e9)])
def test_without_stop_and_target_nothing_is_called(row):
    assert review_exits(None, None, candles(row)) is None


def test_a_target_alone_and_a_stop_alone():
    both = candles((100.0, 120.0, 80.0, 100.0))
    assert review_exits(None, TARGET, both).reason is ExitReason.TARGET
    assert review_exits(STOP, None, both).reason is ExitReason.STOP


@pytest.mark.parametrize(("stop", "called"), [("0.1", True), ("0.0999999999999999999", False)])
def test_prices_are_compared_as_they_were_printed(stop, called):
    assert (review_exits(D(stop), None, candles((0.2, 0.3, 0.1, 0.2))) is not None) is called


prices = st.integers(1, 400).map(lambda ticks: ticks / 100)
rows = st.lists(st.tuples(prices, prices, prices, prices).map(lambda p: (p[0], max(p), min(p), p[3])), max_size=8)


@given(rows, st.integers(1, 400), st.integers(1, 400))
def test_the_first_candle_that_reaches_either_line_calls(drawn, stop_ticks, target_ticks):
    stop, target = D(stop_ticks) / 100, D(target_ticks) / 100
    call = review_exits(stop, target, candles(*drawn))
    reached = [i for i, (_, high, low, _) in enumerate(drawn) if D(str(low)) <= stop or D(str(high)) >= target]
    assert (call and call.opened_ms) == (reached[0] * 60_000 if reached else None)
    if call and call.reason is ExitReason.STOP:
        assert call.price <= stop
    elif call:
        assert call.price >= target
