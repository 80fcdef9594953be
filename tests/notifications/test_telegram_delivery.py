"""Alerts: in order, at least once, each chat by itself, whatever Telegram does."""

import time

import pytest
from django.db import connection, transaction

from market.clock import Clock
from notifications.cursors import Reader, hold, open_cursor
from notifications.models import Cursor, DeadLetter, Event, Severity
from notifications.telegram.batches import AGAIN, next_batch
from notifications.telegram.delivery import forget_others, subscriber
from notifications.telegram.pace import AT_ONCE, Pace
from notifications.telegram.values import Note, Role
from tests.rig import until
from tests.telegram_api import telegram_api
from tests.telegram_rig import ANN, BOB, plain, running, tell
from tradingplatform.settings import SQLITE_OPTIONS

pytestmark = pytest.mark.django_db(transaction=True)
TWO = {ANN: Role.OPERATOR, BOB: Role.VIEWER}


@pytest.fixture
def api():
    with telegram_api() as api:
        yield api


@pytest.fixture
def cursors():
    """The chats follow the log from here."""
    for chat_id in TWO:
        open_cursor(subscriber(chat_id), Clock().now().wall_at)


def lines(api, chat_id=ANN):
    """Every alert that the chat got, in order; several may come in one message."""
    return [line for one in api.sent(chat_id) for line in one.text.split("\n") if line]


def until_told(api, count, chat_id=ANN):
    api.until(lambda: len(lines(api, chat_id)) >= count, f"{count} alerts")


def test_alerts_come_in_order_and_once(api, cursors):
    with running(api):
        for number in range(40):
            tell(f"alert {number}")
        until_told(api, 40)
    assert lines(api) == [f"alert {number}" for number in range(40)]
    assert not DeadLetter.objects.exists()


def test_what_piled_up_goes_together(api, cursors):
    for number in range(40):
        tell(f"alert {number}")
    with running(api):
        until_told(api, 40)
    assert len(api.sent(ANN)) == 3


def test_a_new_chat_is_not_told_of_the_past(api):
    tell("long ago")
    with running(api):
        api.until(lambda: Cursor.objects.filter(pk=subscriber(ANN)).exists(), "the cursor")
        tell("now")
        until_told(api, 1)
    assert lines(api) == ["now"]


def test_a_chat_that_was_taken_off_the_lists_and_comes_back_is_a_new_one(api, cursors):
    with running(api, {BOB: Role.VIEWER}):
        until(lambda: not Cursor.objects.filter(pk=subscriber(ANN)).exists(), "Ann to be forgotten")
        tell("while she was away")
        api.until(lambda: api.sent(BOB), "Bob's alert")
    with running(api, {ANN: Role.OPERATOR, BOB: Role.VIEWER}):
        until(lambda: Cursor.objects.filter(pk=subscriber(ANN)).exists(), "Ann's cursor")
        tell("new")
        until_told(api, 1)
        until_told(api, 2, BOB)
    assert lines(api) == ["new"]
    assert lines(api, BOB) == ["while she was away", "new"]


def test_lists_that_were_lost_for_a_while_lose_no_alert(api, cursors):
    forget_others([])
    tell("while the lists were away")
    with running(api):
        until_told(api, 1)
    assert lines(api) == ["while the lists were away"]


def test_a_chat_that_stays_on_the_lists_is_told_what_it_missed(api, cursors):
    tell("while nothing ran")
    with running(api):
        until_told(api, 1)
    assert lines(api) == ["while nothing ran"]


def test_what_nobody_wants_is_passed_over(api, cursors):
    tell("hush", kind="quiet")
    tell("look", severity=Severity.CRITICAL)
    tell("hush again", kind="quiet")
    with running(api):
        until_told(api, 1)
        api.until(
            lambda: Cursor.objects.get(pk=subscriber(ANN)).seq == Event.objects.latest("pk").seq, "the end of the log"
        )
    assert lines(api) == ["look"]


def test_what_is_of_no_hurry_makes_no_sound(api, cursors):
    with running(api):
        tell("calm")
        until_told(api, 1)
        tell("alarm", severity=Severity.WARNING)
        until_told(api, 2)
    assert [one.values["disable_notification"] for one in api.sent(ANN)] == ["true", "false"]


def test_a_server_in_trouble_is_asked_again(api, cursors):
    api.fault("sendMessage", 500)
    api.fault("sendMessage", 502)
    with running(api):
        tell("first")
        tell("second")
        until_told(api, 2)
    assert [line for line in lines(api) if "(again)" not in line] == ["first", "second"]
    assert not DeadLetter.objects.exists()


def test_as_long_as_telegram_asked_for_is_waited(api, cursors):
    api.fault("sendMessage", 429, retry_after=2, description="Too Many Requests: retry after 2")
    with running(api):
        begun = time.monotonic()
        tell("patience")
        until_told(api, 1)
        assert time.monotonic() - begun >= 2
    assert lines(api) == ["patience"]  # it was refused for certain: nobody is told that it may be an old one


def test_a_lost_answer_is_repeated_and_says_so(api, cursors):
    api.fault("sendMessage", 502, after=True)
    with running(api):
        tell("perhaps twice")
        until_told(api, 3)
    assert lines(api) == ["perhaps twice", f"<i>{AGAIN}</i>", "perhaps twice"]


def test_nobody_at_the_door_is_no_doubt(api, cursors):
    """What was certainly not sent is not marked, once somebody answers."""
    with telegram_api() as later:
        pass  # its port is free now
    with running(later):
        tell("hello")
        until(lambda: Cursor.objects.get(pk=subscriber(ANN)).attempts, "an attempt")
        with telegram_api(port=later.port) as later:
            until_told(later, 1)
    assert lines(later) == ["hello"]


@pytest.mark.parametrize(
    ("status", "description"),
    [
        (403, "Forbidden: bot was blocked by the user"),
        (400, "Bad Request: chat not found"),
    ],
    ids=["blocked", "not found"],
)
def test_a_chat_that_takes_nothing_delays_nobody(api, cursors, status, description):
    api.fault("sendMessage", status, times=99, chat_id=BOB, description=description)
    with running(api, TWO):
        for number in range(3):
            tell(f"alert {number}")
        until_told(api, 3)
        api.until(lambda: DeadLetter.objects.count() == 3, "the dead letters")
        api.faults.clear()
        tell("unblocked")
        until_told(api, 1, BOB)
        until_told(api, 4)
    assert lines(api) == ["alert 0", "alert 1", "alert 2", "unblocked"]
    assert lines(api, BOB) == ["unblocked"]
    assert set(DeadLetter.objects.values_list("subscriber", flat=True)) == {subscriber(BOB)}
    assert description.partition(": ")[2] in DeadLetter.objects.first().error.lower()


def test_one_bad_message_is_buried_and_the_rest_of_its_batch_is_not(api, cursors):
    for number in range(6):
        tell(f"alert {number}")
    api.fault("sendMessage", 400, times=9, only_with="alert 3", description="Bad Request: can't parse entities")
    with running(api):
        until_told(api, 5)
    assert lines(api) == [f"alert {number}" for number in (0, 1, 2, 4, 5)]
    assert [letter.event.text for letter in DeadLetter.objects.all()] == ["alert 3"]


def test_a_wrong_token_loses_nothing(api, cursors):
    api.fault("sendMessage", 401, times=1, description="Unauthorized")
    with running(api):
        tell("kept")
        until_told(api, 1)
    assert lines(api) == ["kept"]
    assert not DeadLetter.objects.exists()


def test_a_text_that_cannot_be_made_is_told_as_it_is(api, cursors):
    def broken(event):
        raise KeyError("payload")

    with running(api, compose=broken):
        tell("<plain>")
        until_told(api, 1)
    assert lines(api) == ["&lt;plain&gt;"]


def test_a_dead_process_is_followed_at_once_and_what_it_held_is_marked(api, cursors):
    tell("in flight")
    assert hold(Reader(subscriber(ANN), "dead"), Clock().now().wall_at)
    with running(api, name="next", is_gone=lambda name: name == "dead"):
        until_told(api, 2)
        tell("new")
        until_told(api, 3)
    assert lines(api) == [f"<i>{AGAIN}</i>", "in flight", "new"]


def test_a_living_process_keeps_its_cursor(api, cursors):
    tell("not yours")
    assert hold(Reader(subscriber(ANN), "alive"), Clock().now().wall_at)
    with running(api, name="next"):
        time.sleep(1.5)
    assert lines(api) == []


def test_stopped_in_order_the_next_one_begins_at_once_and_repeats_nothing(api, cursors):
    for name in ("first", "second", "third"):
        with running(api, name=name):
            tell(name)
            until_told(api, ("first", "second", "third").index(name) + 1)
    assert lines(api) == ["first", "second", "third"]


@pytest.mark.skipif(connection.vendor != "sqlite", reason="elsewhere a writer keeps nobody from another row")
def test_a_database_that_is_busy_after_a_send_repeats_nothing(api, cursors):
    api.fault("sendMessage", 429, retry_after=1)
    with running(api):
        tell("once")
        until(lambda: Cursor.objects.get(pk=subscriber(ANN)).attempts, "the refusal")
        with transaction.atomic():  # nobody else writes, longer than anybody waits for it
            until_told(api, 1)
            time.sleep(SQLITE_OPTIONS["timeout"] + 1)
        until(lambda: Cursor.objects.get(pk=subscriber(ANN)).attempts == 0, "the cursor to move")
    assert lines(api) == ["once"]


def test_a_chat_is_written_to_once_a_second_and_a_few_times_at_once():
    pace = Pace()
    waits = [pace.wait_s(100.0) for _ in range(AT_ONCE + 3)]
    assert waits == [0.0] * AT_ONCE + [1.0, 2.0, 3.0]
    assert pace.wait_s(100.0 + 60) == 0.0
    assert [pace.wait_s(160.0 + second) for second in range(1, 10)] == [0.0] * 9


def test_many_events_a_second_go_out_in_few_messages(api, cursors):
    began_s = time.monotonic()
    with running(api):
        for number in range(60):
            tell(str(number))
            time.sleep(0.05)
        until_told(api, 60)
    assert lines(api) == [str(number) for number in range(60)]
    assert len(api.sent(ANN)) <= AT_ONCE + 1 + time.monotonic() - began_s  # one a second


def test_batches_keep_order_and_stay_short(db):
    events = [tell("x" * 400) for _ in range(20)]
    due = [(event, plain(event)) for event in events]
    first = next_batch(due)
    assert (first.told, first.last) == (8, events[7])
    assert len(first.note.html) < 4096
    long = tell("quiet", kind="quiet")
    huge = (tell("y" * 500), Note("y" * 9_000))
    assert next_batch([(long, None), huge]).told == 1  # alone, and cut on its way
    assert next_batch([(long, None)]).note is None
