"""When this machine's clock is not believed."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.clock_guard import APART_LIMIT_S, BACK_LIMIT, why_back, why_jumped

SEEN = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("behind_s", "believed"), [(-86_400, True), (0, True), (60, True), (60.000001, False), (3600, False)]
)
def test_a_clock_may_be_a_minute_behind_what_it_said(behind_s, believed):
    why = why_back(SEEN - timedelta(seconds=behind_s), SEEN)
    assert (why == "") is believed
    assert believed or why.startswith("this machine's clock went back: it says 2026-01-31")


@pytest.mark.parametrize(
    ("wall_s", "steady_s", "why"),
    [
        (3, 3, ""),
        (33, 3, ""),
        (33.1, 3, "this machine's clock jumped forward by 30 s"),
        (86_403, 3, "this machine's clock jumped forward by 86400 s"),
        (-27, 3, ""),
        (-3597, 3, "this machine's clock jumped back by 3600 s"),
        (600, 600, ""),  # the process was frozen: both went on
        (3, 600, "this machine's clock jumped back by 597 s"),  # it stood still
    ],
)
def test_the_wall_clock_goes_as_a_clock_goes_that_nobody_sets(wall_s, steady_s, why):
    assert why_jumped(wall_s, steady_s) == why


@given(st.floats(-1e9, 1e9), st.floats(0, 1e9))
def test_only_the_difference_counts(wall_s, steady_s):
    assert bool(why_jumped(wall_s, steady_s)) is (abs(wall_s - steady_s) > APART_LIMIT_S)


@given(st.timedeltas(timedelta(days=-3650), timedelta(days=3650)))
def test_a_clock_that_is_ahead_went_not_back(behind):
    assert bool(why_back(SEEN - behind, SEEN)) is (behind > BACK_LIMIT)
