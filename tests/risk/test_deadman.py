"""The dead man's switch as a row: pulled at the gate, extended by check-ins, latched until a reset."""

from datetime import timedelta

import pytest

from market.clock import Now
from notifications.models import Event
from risk.deadman import check_in, pull, reset, watch
from risk.models import DeadMansSwitch
from tests.factories import now_at

pytestmark = pytest.mark.django_db
HOUR_MS = 3_600_000
START = now_at()


@pytest.fixture
def switch():
    return DeadMansSwitch.objects.create(
        last_checkin_at=START.wall_at, last_checkin_by="ann", high_water_at=START.wall_at
    )


def later(hours: float) -> Now:
    return Now(START.wall_ms + round(hours * HOUR_MS), START.market_ms)


def row() -> DeadMansSwitch:
    return DeadMansSwitch.objects.get()


def test_no_row_means_triggered():
    assert pull(START) is True


@pytest.mark.parametrize(("hours", "triggered"), [(0, False), (23.999, False), (24, True), (400, True)])
def test_it_triggers_when_the_time_is_gone(switch, hours, triggered):
    assert pull(later(hours)) is triggered
    assert (row().latched_at is not None) is triggered


def test_it_stays_latched_whatever_the_clock_says_and_is_told_once(switch):
    assert pull(later(25))
    assert pull(later(1))
    assert pull(later(26))
    assert not check_in("ann", later(26).wall_ms, later(26))
    assert Event.objects.filter(kind="dead_man_triggered").count() == 1


def test_a_clock_set_back_extends_nothing(switch):
    assert not pull(later(23))
    assert not pull(later(-5))
    check_in("ann", later(-5).wall_ms, later(-5))
    assert row().last_checkin_at == START.wall_at
    assert row().high_water_at == later(23).wall_at
    assert pull(later(24))


def test_a_check_in_credits_the_time_it_was_sent_never_later_than_now(switch):
    assert check_in("ann", later(2).wall_ms, later(10))
    assert row().last_checkin_at == later(2).wall_at
    assert check_in("bob", later(50).wall_ms, later(11))
    assert row().last_checkin_at == later(11).wall_at
    assert not check_in("eve", later(3).wall_ms, later(12))  # an old message replayed
    assert row().last_checkin_by == "bob"


def test_only_a_reset_with_a_reason_unlatches(switch):
    pull(later(25))
    with pytest.raises(ValueError, match="reason"):
        reset("ann", " ", later(25))
    assert reset("ann", "back from the mountains", later(25))
    assert not pull(later(26))
    assert not reset("ann", "again", later(26))
    assert pull(later(25 + 24))


def test_the_high_water_mark_is_not_written_at_every_look(switch):
    pull(Now(START.wall_ms + 1_000, START.market_ms))
    assert row().high_water_at == START.wall_at
    pull(Now(START.wall_ms + 61_000, START.market_ms))
    assert row().high_water_at == START.wall_at + timedelta(seconds=61)


def test_each_stage_is_told_once_as_it_begins(switch):
    stages = [watch(later(hours)) for hours in (1, 20, 21, 23.5, 23.6, 25, 26)]
    assert [stage.value for stage in stages] == [
        "OK",
        "WARNING",
        "WARNING",
        "CRITICAL",
        "CRITICAL",
        "TRIGGERED",
        "TRIGGERED",
    ]
    kinds = list(Event.objects.order_by("id").values_list("kind", flat=True))
    assert kinds == ["dead_man_warning", "dead_man_critical", "dead_man_triggered"]


def test_a_check_in_begins_the_telling_anew(switch):
    watch(later(20))
    check_in("ann", later(20).wall_ms, later(20))
    watch(later(21))
    watch(later(41))
    assert Event.objects.filter(kind="dead_man_warning").count() == 2
