"""A time as a person types it."""

from datetime import UTC, datetime

import pytest

from tradingplatform.why.asked import read_time

NOW = datetime(2026, 11, 24, 14, 30, 20, 500_000, tzinfo=UTC)


TYPED = [
    ("2026-11-24T03:00", "2026-11-24T03:00:00"),
    ("2026-11-24 03:00", "2026-11-24T03:00:00"),
    ("2026-11-24T03:00Z", "2026-11-24T03:00:00"),
    ("2026-11-24T03:00+02:00", "2026-11-24T01:00:00"),
    ("2026-11-24", "2026-11-24T00:00:00"),
    ("03:00", "2026-11-24T03:00:00"),
    ("3:00", "2026-11-24T03:00:00"),
    ("14:30", "2026-11-24T14:30:00"),
    ("14:30:21", "2026-11-23T14:30:21"),  # a second from now: the last such time was yesterday
    ("23:59", "2026-11-23T23:59:00"),
    ("-2h", "2026-11-24T12:30:20.500000"),
    ("2h", "2026-11-24T12:30:20.500000"),
    ("-1h30m", "2026-11-24T13:00:20.500000"),
    ("-1d", "2026-11-23T14:30:20.500000"),
    ("-90s", "2026-11-24T14:28:50.500000"),
]


@pytest.mark.parametrize(("typed", "meant"), TYPED)
def test_what_may_be_typed(typed, meant):
    assert read_time(typed, NOW) == datetime.fromisoformat(meant).replace(tzinfo=UTC)


@pytest.mark.parametrize("typed", ["", "banana", "25:00", "12:61", "-2x", "2026-13-01", "-999999999d", "03", "-", "²h"])
def test_anything_else_is_told_with_what_is_allowed(typed):
    with pytest.raises(ValueError, match=r"is not a time: give 2026-11-24T03:00 \(UTC\), 03:00 .*-2h"):
        read_time(typed, NOW)
