"""Heartbeats, what /healthz makes of them, and the guard's own look at the switch."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from market.clock import Now
from notifications.models import Event, Heartbeat
from risk.deadman import check_in
from risk.models import DeadMansSwitch
from tests.factories import make_account, now_at
from tradingplatform import tasks
from tradingplatform.celery import app
from tradingplatform.heartbeats import CHAIN, GUARD, NAMES, beat
from tradingplatform.housekeeping import SCHEDULE, keep_heartbeat
from tradingplatform.vigil import Vigil

pytestmark = pytest.mark.django_db
NOW = now_at()


def alive(**ages_s: float) -> None:
    for name in NAMES:
        at = timezone.now() - timedelta(seconds=ages_s.get(name, 1))
        Heartbeat.objects.update_or_create(name=name, defaults={"sent_at": at, "wall_at": at})


HEALTH = [
    ({}, 200, ""),
    ({"beat": 85}, 200, ""),
    ({"beat": 95}, 503, "the heartbeat of beat is 95 s old"),
    ({"guard": 95}, 503, "the heartbeat of guard is 95 s old"),
    ({"reconciler": 95}, 503, "the heartbeat of reconciler is 95 s old"),
    ({"guard": -3600}, 503, "the heartbeat of guard is -3600 s old"),  # the clock was set back since
]


@pytest.mark.parametrize(("ages_s", "status", "problem"), HEALTH, ids=[str(ages) for ages, *_ in HEALTH])
def test_every_part_has_to_be_alive(client, ages_s, status, problem):
    alive(**ages_s)
    answer = client.get("/healthz")
    assert answer.status_code == status
    assert answer.json()["healthy"] is (status == 200)
    assert answer.json()["problems"] == ([problem] if problem else [])
    assert "no-store" in answer["Cache-Control"]


def test_nothing_that_never_ran_is_healthy_and_it_is_only_read(client):
    answer = client.get("/healthz")
    assert (answer.status_code, len(answer.json()["problems"])) == (503, len(NAMES))
    assert client.post("/healthz").status_code == 405


def test_it_is_cheap(client, django_assert_num_queries):
    alive()
    with django_assert_num_queries(2):
        client.get("/healthz")


def test_a_database_that_is_away_is_said(client):
    def away(*_):
        raise OperationalError("gone")

    with connection.execute_wrapper(away):
        answer = client.get("/healthz")
    assert (answer.status_code, answer.json()["problems"]) == (503, ["the database does not answer"])


def test_a_heartbeat_is_as_old_as_its_message():
    keep_heartbeat(NOW.wall_ms - 45_000, NOW)
    kept = Heartbeat.objects.get(name=CHAIN)
    assert (kept.wall_at - kept.sent_at, kept.wall_at) == (timedelta(seconds=45), NOW.wall_at)


def test_a_message_that_does_not_say_when_it_was_sent_is_no_sign_of_life():
    keep_heartbeat(None, NOW)
    assert not Heartbeat.objects.exists()


def test_the_message_says_when_it_was_sent():
    """As it is put on the wire."""
    sent = {}
    with app.connection_for_write("memory://") as wire:
        queue = wire.SimpleQueue("housekeeping")
        tasks.heartbeat.apply_async(connection=wire, queue="housekeeping")
        sent = queue.get(block=False).headers
    assert abs(sent["sent_at_ms"] - timezone.now().timestamp() * 1000) < 5_000


def test_beat_rings_for_it():
    assert SCHEDULE["heartbeat"][0] == tasks.heartbeat.name


# the guard's look


def at(seconds: float) -> Now:
    return Now(NOW.wall_ms + round(seconds * 1000), NOW.market_ms)


def test_the_guard_watches_the_switch_itself():
    make_account()
    moments = (0, 5, 22.5 * 3600, 23 * 3600)
    steady = iter(moments)
    vigil = Vigil(lambda: next(steady))
    for seconds in moments:
        vigil.look(at(seconds))
    told = list(Event.objects.order_by("pk").values_list("kind", flat=True))
    assert told == ["dead_man_critical", "dead_man_triggered"]  # the last check-in was an hour before
    assert Heartbeat.objects.get(name=GUARD).wall_at == at(23 * 3600).wall_at


def test_the_guard_leaves_a_heartbeat_now_and_then():
    steady = iter((0.0, 3.0, 9.0, 10.0))
    vigil = Vigil(lambda: next(steady))
    written = []
    for seconds in (0, 3, 9, 10):
        vigil.look(at(seconds))
        written.append((Heartbeat.objects.get(name=GUARD).wall_at - NOW.wall_at).total_seconds())
    assert written == [0, 0, 0, 10]


@pytest.mark.parametrize("wall_s", [40, -40])
def test_a_clock_that_jumped_between_two_looks_forbids_entries(wall_s):
    make_account()
    steady = iter((0.0, 3.0))
    vigil = Vigil(lambda: next(steady))
    vigil.look(at(0))
    vigil.look(at(wall_s))
    assert DeadMansSwitch.objects.get().clock_suspect_at is not None
    assert Event.objects.get(kind="clock_jumped").severity == "CRITICAL"


def test_a_jump_is_seen_once_and_over_with_a_check_in():
    make_account()
    steady = iter((0.0, 3.0, 6.0))
    vigil = Vigil(lambda: next(steady))
    vigil.look(at(0))
    vigil.look(at(103))
    assert check_in("ann", at(104).wall_ms, at(104))
    vigil.look(at(106))
    assert DeadMansSwitch.objects.get().clock_suspect_at is None


def test_a_jump_that_could_not_be_told_is_told_at_the_next_look():
    make_account()
    steady = iter((0.0, 3.0, 6.0))
    vigil = Vigil(lambda: next(steady))
    vigil.look(at(0))

    def away(*_):
        raise OperationalError("database is locked")

    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        vigil.look(at(103))
    vigil.look(at(106))
    assert Event.objects.filter(kind="clock_jumped").exists()


def test_beating_twice_is_one_row():
    beat(GUARD, at(0))
    beat(GUARD, at(1))
    assert Heartbeat.objects.get().wall_at == at(1).wall_at
