"""The account's equity as it is kept every minute: at the marks there are, and marked stale where they are old."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django_celery_beat.models import PeriodicTask

from execution.models import EquitySnapshot
from tests.factories import make_bot, make_position, now_at
from tradingplatform.housekeeping import SCHEDULE, ensure_schedule, has_schedule, snapshot_accounts

pytestmark = pytest.mark.django_db
NOW = now_at()


def open_position(timeframe: str, marked: timedelta | None, opened: timedelta = timedelta(hours=9)) -> None:
    marks: dict[str, object] = {}
    if marked is not None:
        marks = {"mark_price": Decimal(101), "marked_at": NOW.market_at - marked}
    make_position(make_bot(timeframe=timeframe), NOW.market_at - opened, **marks)


MARKS = [
    # the bot's timeframe, how old its mark is -> whether the account's equity is stale
    ("15m", timedelta(minutes=16), False),
    ("15m", timedelta(minutes=16, seconds=31), True),  # an interval and a tenth of it
    ("1h", timedelta(minutes=64), False),
    ("4h", timedelta(hours=4, minutes=4), False),
    ("4h", timedelta(hours=4, minutes=6), True),  # five minutes at the most
    ("15m", None, True),  # never marked, and opened hours ago
]


@pytest.mark.parametrize(("timeframe", "age", "stale"), MARKS)
def test_equity_at_an_old_mark_is_stale(timeframe, age, stale):
    open_position(timeframe, age)
    snapshot_accounts(NOW, speed=1.0)
    assert EquitySnapshot.objects.get().stale is stale


def test_without_a_position_nothing_can_be_old():
    make_bot()
    snapshot_accounts(NOW, speed=1.0)
    assert not EquitySnapshot.objects.get().stale


def test_each_account_is_judged_by_its_own_positions():
    open_position("4h", timedelta(minutes=1))
    open_position("15m", timedelta(hours=3))
    snapshot_accounts(NOW, speed=1.0)
    assert sorted(EquitySnapshot.objects.values_list("stale", flat=True)) == [False, True]  # an account each


def test_at_high_speed_five_wall_seconds_are_allowed():
    open_position("15m", timedelta(minutes=19))
    snapshot_accounts(NOW, speed=60.0)
    assert not EquitySnapshot.objects.get().stale


def test_a_row_that_a_newer_version_schedules_is_missed():
    assert not has_schedule()
    ensure_schedule()
    assert has_schedule()
    PeriodicTask.objects.get(name=f"housekeeping: {next(reversed(SCHEDULE))}").delete()
    assert not has_schedule()
