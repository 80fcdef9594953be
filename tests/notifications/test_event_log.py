"""The order of events, and how subscribers move along it."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import transaction

from notifications.cursors import (
    FIRST_PAUSE,
    FURTHEST,
    LEASE,
    LONGEST_PAUSE,
    Reader,
    bury,
    close_cursors,
    delivered,
    due_events,
    failed,
    hold,
    let_go,
    open_cursor,
)
from notifications.models import Cursor, DeadLetter, Event
from notifications.sequence import BATCH, events_after, number_events
from tests.factories import make_event, now_at
from tests.postgres_server import NoPostgres, postgres
from tests.rig import lone_environment

ROOT = Path(__file__).resolve().parents[2]
NOW = now_at()
AT = NOW.wall_at
WRITERS, EACH = 8, 60


def tell(*texts):
    with transaction.atomic():
        return [make_event(text, NOW) for text in texts]


@pytest.mark.django_db
def test_numbers_follow_each_other_and_stay():
    tell("a", "b")
    assert number_events() == 2
    tell(*(str(number) for number in range(BATCH + 5)))
    assert number_events() == BATCH + 7
    assert number_events() == BATCH + 7
    numbers = [event.seq for event in Event.objects.order_by("pk")]
    assert numbers == list(range(1, BATCH + 8))
    assert [event.text for event in events_after(0, 2)] == ["a", "b"]


def follows_eight_writers(env):
    """Two follow, so that two number."""
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    program = [sys.executable, "-m", "tests.notifications.event_writers"]
    start = lambda *words: subprocess.Popen([*program, *words], cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)  # noqa: E731
    followers = [start("follow", str(WRITERS * EACH)) for _ in range(2)]
    writers = [start("write", f"writer-{number}", str(EACH)) for number in range(WRITERS)]
    for writer in writers:
        assert writer.wait(90) == 0
        writer.stdout.close()
    for follower in followers:
        printed = follower.communicate(timeout=90)[0]
        rows = [line.split() for line in printed.splitlines()]
        assert [int(seq) for seq, _, _ in rows] == list(range(1, WRITERS * EACH + 1))
        for number in range(WRITERS):
            told = [int(which) for _, writer, which in rows if writer == f"writer-{number}"]
            assert told == list(range(EACH))


@pytest.mark.process
def test_nobody_who_follows_misses_one_on_sqlite(tmp_path):
    follows_eight_writers(lone_environment(tmp_path))


@pytest.mark.process
def test_nobody_who_follows_misses_one_on_postgresql(tmp_path):
    try:
        with postgres() as url:
            follows_eight_writers(lone_environment(tmp_path, DATABASE_URL=url))
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.fixture
def reader(db):
    reader = Reader("webhook:somebody", "process-1")
    open_cursor(reader.subscriber, AT)
    assert hold(reader, AT)
    return reader


def texts(reader, at=AT):
    return [event.text for event in due_events(reader, at)]


def test_a_new_subscriber_begins_at_the_end(reader):
    tell("before")
    late = Reader("webhook:late", "process-1")
    open_cursor("webhook:late", AT)
    hold(late, AT)
    tell("after")
    assert texts(late) == ["after"]
    assert texts(reader) == ["before", "after"]
    open_cursor("webhook:late", AT)
    assert texts(late) == ["after"]


@pytest.mark.django_db
def test_who_is_no_longer_wanted_is_forgotten_and_new_when_back():
    tell("a")
    for name in ("telegram:1", "telegram:2", "telegram-poller:9", "webhook:1"):
        open_cursor(name, AT)
    tell("b")

    assert close_cursors("telegram:", ["telegram:2", "telegram:3"]) == 1
    assert set(Cursor.objects.values_list("name", flat=True)) == {"telegram:2", "telegram-poller:9", "webhook:1"}
    assert open_cursor("telegram:1", AT).seq == 2


def test_it_moves_when_delivered_and_not_before(reader):
    tell("a", "b", "c")
    first = due_events(reader, AT)[0]
    assert texts(reader) == ["a", "b", "c"]
    assert delivered(reader, first, AT)
    assert texts(reader) == ["b", "c"]
    assert not delivered(reader, first, AT)


def test_what_fails_waits_in_its_place_with_growing_pauses(reader):
    tell("a", "b")
    pauses = []
    at = AT
    for attempt in range(1, 10):
        event = due_events(reader, at)[0]
        assert failed(reader, event, "no answer", at) == attempt
        next_at = Cursor.objects.get(pk="webhook:somebody").next_at
        assert due_events(reader, next_at - timedelta(milliseconds=1)) == []
        pauses.append(next_at - at)
        at = next_at
    assert pauses[:3] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pauses[-1] == LONGEST_PAUSE
    assert Cursor.objects.get(pk="webhook:somebody").failing_since == AT
    delivered(reader, due_events(reader, at)[0], at)
    assert texts(reader, at) == ["b"]
    cursor = Cursor.objects.get(pk="webhook:somebody")
    assert (cursor.attempts, cursor.failing_since, cursor.error) == (0, None, "")


def test_the_receiver_may_say_how_long_to_wait_and_a_clock_set_back_does_not(reader):
    (event,) = tell("a")
    number_events()
    event.refresh_from_db()
    failed(reader, event, "slow down", AT, timedelta(seconds=90))
    assert texts(reader, AT + timedelta(seconds=89)) == []
    assert texts(reader, AT + timedelta(seconds=90)) == ["a"]
    assert texts(reader, AT - FURTHEST) == ["a"]


def test_what_will_never_be_taken_is_buried_once_and_holds_nobody_up(reader):
    tell("bad", "good")
    bad = due_events(reader, AT)[0]
    failed(reader, bad, "cannot be read", AT)
    assert bury(reader, bad, "cannot be read", AT)
    assert not bury(reader, bad, "cannot be read", AT)
    letter = DeadLetter.objects.get()
    assert (letter.subscriber, letter.event.text, letter.attempts) == ("webhook:somebody", "bad", 2)
    assert texts(reader) == ["good"]


def test_one_reads_at_a_time(reader):
    tell("a")
    other = Reader("webhook:somebody", "process-2")
    assert not hold(other, AT)
    assert due_events(other, AT) == []
    event = due_events(reader, AT)[0]
    assert hold(other, AT + LEASE + timedelta(seconds=1))
    assert not delivered(reader, event, AT)
    assert texts(other) == ["a"]
    let_go(reader)
    assert texts(other) == ["a"]
    let_go(other)
    assert hold(reader, AT)


def test_a_lease_taken_before_the_clock_was_set_back_is_nobodys(reader):
    assert hold(Reader("webhook:somebody", "process-2"), AT - 3 * LEASE)
