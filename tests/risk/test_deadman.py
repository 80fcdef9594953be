"""The dead man's switch as a row: pulled at the gate, extended by check-ins, latched until a reset."""

from datetime import timedelta

import pytest
from django.db import connection

from market.clock import Now
from notifications.models import Event
from risk.deadman import check_in, clock_problem, pull, reset, suspect_clock
from risk.deadman_watch import watch
from risk.models import DeadMansSwitch, Halt
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
        reset("ann", " ", later(25), latched_at=later(25).wall_at)
    assert reset("ann", "back from the mountains", later(25), latched_at=later(25).wall_at)
    assert not pull(later(26))
    assert not reset("ann", "again", later(26), latched_at=later(25).wall_at)
    assert pull(later(25 + 24))


def test_the_high_water_mark_is_not_written_at_every_look(switch):
    pull(Now(START.wall_ms + 1_000, START.market_ms))
    assert row().high_water_at == START.wall_at
    pull(Now(START.wall_ms + 61_000, START.market_ms))
    assert row().high_water_at == START.wall_at + timedelta(seconds=61)


def test_each_stage_is_told_once_as_it_begins(switch):
    stages = [watch(later(hours)) for hours in (1, 20, 21, 23.5, 23.6, 25, 25.1)]
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


def kinds() -> list[str]:
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


def test_a_trigger_is_told_again_every_quarter_of_an_hour_until_the_reset(switch):
    for minutes in (0, 3, 14.9, 15, 16, 29.9, 30, 31):
        watch(later(24 + minutes / 60))
    assert kinds() == ["dead_man_triggered", "dead_man_still_triggered", "dead_man_still_triggered"]
    assert set(Event.objects.values_list("severity", flat=True)) == {"CRITICAL"}
    reset("ann", "back", later(25), latched_at=later(24).wall_at)
    watch(later(26))
    assert kinds()[3:] == ["dead_man_reset"]


def test_a_clock_set_back_does_not_silence_the_alarm(switch):
    watch(later(24))
    watch(later(2))
    assert "dead_man_still_triggered" in kinds()


def test_the_latest_time_ever_seen_counts_where_the_clock_is_behind_it(switch):
    DeadMansSwitch.objects.update(high_water_at=later(20).wall_at)
    assert watch(later(1)).value == "WARNING"
    DeadMansSwitch.objects.update(high_water_at=later(24).wall_at)
    assert pull(later(1))


def test_a_clock_that_went_back_forbids_until_it_is_where_it_was(switch):
    watch(later(10))
    assert clock_problem(later(10 - 0.01)) == ""  # 36 s
    assert "went back" in clock_problem(later(8))
    for hours in (8, 9, 9.9):
        watch(later(hours))
    assert kinds() == ["clock_went_back"]
    assert row().high_water_at == later(10).wall_at
    watch(later(10))
    assert kinds() == ["clock_went_back", "clock_went_back_ended"]
    assert clock_problem(later(10)) == ""


def test_a_clock_that_jumped_forbids_until_somebody_checks_in(switch):
    suspect_clock("this machine's clock jumped forward by 500 s", later(3))
    suspect_clock("this machine's clock jumped forward by 90 s", later(4))
    assert "seen to jump" in clock_problem(later(5))
    assert kinds() == ["clock_jumped"]
    assert check_in("ann", later(5).wall_ms, later(5))
    assert clock_problem(later(5)) == ""
    assert kinds() == ["clock_jumped", "clock_jumped_ended", "checked_in"]


def test_a_check_in_by_a_clock_that_was_ahead_has_to_be_repeated(switch):
    check_in("ann", later(10).wall_ms, later(10))
    watch(later(1))  # it was put right
    assert "clock_jumped" in kinds()
    assert clock_problem(later(10.1))
    assert check_in("ann", later(10.2).wall_ms, later(10.2))
    assert not clock_problem(later(10.2))


def test_the_mark_is_written_while_it_is_triggered_too(switch):
    watch(later(24))
    watch(later(30))
    assert row().high_water_at == later(30).wall_at


@pytest.mark.parametrize("hours", [None, 5])
def test_it_sells_only_where_that_was_chosen_and_once(switch, hours):
    DeadMansSwitch.objects.update(flatten_after_h=hours)
    for after in (24, 28, 29, 29.1, 50):
        watch(later(after))
    halts = list(Halt.objects.values_list("account", "bot", "cause", "closes"))
    assert halts == ([] if hours is None else [(None, None, "dead_mans_switch", True)])
    Halt.objects.update(cleared_at=later(51).wall_at, cleared_by="ann", clear_reason="not now")
    watch(later(52))
    assert Halt.objects.count() == len(halts)  # what an operator has cleared is not raised again


def test_it_never_sells_by_a_clock_in_doubt(switch):
    DeadMansSwitch.objects.update(flatten_after_h=5)
    watch(later(24))
    suspect_clock("it jumped", later(25))
    watch(later(40))
    assert not Halt.objects.exists()


UNREADABLE = {
    "no time at all": "timeout_s = 0",
    "less than a minute": "timeout_s = 59",
    "more than a week": "timeout_s = 604801",
    "words for a time": "timeout_s = 'a day'",
    "a check-in of no date": "last_checkin_at = 'yesterday'",
    "a check-in beyond all dates": "last_checkin_at = '9999-12-31 23:59:59'",
    "a number for a date": "last_checkin_at = 7",
    "a mark of no date": "high_water_at = ''",
    "a latch of no date": "latched_at = 'x'",
}


@pytest.mark.skipif(connection.vendor != "sqlite", reason="elsewhere columns have types")
@pytest.mark.parametrize("damage", UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_row_means_triggered_and_is_told(switch, damage):
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = 1")
        cursor.execute(f"UPDATE risk_deadmansswitch SET {damage}")
        cursor.execute("PRAGMA ignore_check_constraints = 0")
    assert pull(later(1)) is True
    assert clock_problem(later(1)) == ""
    assert not check_in("ann", later(1).wall_ms, later(1))
    assert watch(later(1)).value == "TRIGGERED"
    watch(later(2))
    assert kinds() == ["dead_man_unreadable"]
    DeadMansSwitch.objects.all().delete()
    fresh = {"last_checkin_at": START.wall_at, "last_checkin_by": "ann", "high_water_at": START.wall_at}
    DeadMansSwitch.objects.create(**fresh)
    watch(later(2))
    assert kinds() == ["dead_man_unreadable", "dead_man_unreadable_ended"]


def test_a_switch_that_was_not_drilled_for_long_is_told(switch):
    check_in("ann", later(1).wall_ms, later(1))  # the log begins
    for days in (34, 36, 37):
        DeadMansSwitch.objects.update(last_checkin_at=later(24 * days).wall_at, high_water_at=later(24 * days).wall_at)
        watch(later(24 * days))
    assert kinds() == ["checked_in", "switch_not_drilled"]
    DeadMansSwitch.objects.update(drilled_at=later(24 * 37).wall_at)
    watch(later(24 * 37))
    assert kinds()[2:] == ["switch_not_drilled_ended"]
