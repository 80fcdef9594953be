"""The stages begin at 83, 96 and 100 % of the time, to the microsecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from risk.deadman_stage import Stage, deadlines, stage

CHECKIN = datetime(2026, 3, 1, 6, tzinfo=UTC)
DAY = timedelta(hours=24)
TICK = timedelta(microseconds=1)


def after(hours=0, minutes=0, seconds=0):
    return CHECKIN + timedelta(hours=hours, minutes=minutes, seconds=seconds)


TABLE = [
    (CHECKIN, Stage.OK),
    (CHECKIN - TICK, Stage.OK),
    (after(19, 55, 12) - TICK, Stage.OK),
    (after(19, 55, 12), Stage.WARNING),
    (after(23, 2, 24) - TICK, Stage.WARNING),
    (after(23, 2, 24), Stage.CRITICAL),
    (after(24) - TICK, Stage.CRITICAL),
    (after(24), Stage.TRIGGERED),
    (after(24_000), Stage.TRIGGERED),
]


@pytest.mark.parametrize(("now", "expected"), TABLE)
def test_stages(now, expected):
    assert stage(now, CHECKIN, DAY) is expected


def test_a_moment_is_the_same_in_every_time_zone():
    assert stage(after(24).astimezone(timezone(timedelta(hours=9))), CHECKIN, DAY) is Stage.TRIGGERED


@given(st.timedeltas(min_value=TICK, max_value=timedelta(days=60)), st.timedeltas(timedelta(0), timedelta(days=90)))
def test_stages_are_exact_for_any_timeout(timeout, silence):
    percent_reached = silence / TICK * 100 // (timeout / TICK)  # whole numbers below 2^53: exact
    expected = (
        Stage.TRIGGERED
        if percent_reached >= 100
        else Stage.CRITICAL
        if percent_reached >= 96
        else Stage.WARNING
        if percent_reached >= 83
        else Stage.OK
    )
    assert stage(CHECKIN + silence, CHECKIN, timeout) is expected


@given(st.timedeltas(min_value=TICK, max_value=timedelta(days=60)))
def test_a_deadline_is_the_first_moment_of_its_stage(timeout):
    due = deadlines(CHECKIN, timeout)
    assert stage(due.triggered_at, CHECKIN, timeout) is Stage.TRIGGERED
    assert stage(due.triggered_at - TICK, CHECKIN, timeout) is not Stage.TRIGGERED
    assert stage(due.warning_at - TICK, CHECKIN, timeout) is Stage.OK
    assert due.warning_at <= due.critical_at <= due.triggered_at


@pytest.mark.parametrize("timeout", [timedelta(0), -DAY])
def test_a_timeout_is_positive(timeout):
    with pytest.raises(ValueError, match="timeout must be positive"):
        stage(CHECKIN, CHECKIN, timeout)


def test_naive_times_are_refused():
    naive = CHECKIN.replace(tzinfo=None)
    with pytest.raises(ValueError, match="now must be an aware"):
        stage(naive, CHECKIN, DAY)
    with pytest.raises(ValueError, match="last_checkin_at must be an aware"):
        stage(CHECKIN, naive, DAY)
