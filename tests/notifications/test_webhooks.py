"""Events reach real receivers: in order, at least once, signed, whatever the receivers do."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from threading import Event as Signal
from threading import Thread

import pytest
from django.db import connection, transaction

from notifications.cursors import LONGEST_PAUSE, Reader, hold, open_cursor
from notifications.event_kinds import WEBHOOK_FAILING, WEBHOOK_REFUSING
from notifications.holding import Process
from notifications.models import Condition, Cursor, DeadLetter, Event, Severity
from notifications.sequence import number_events
from notifications.webhooks import sending
from notifications.webhooks.config import Hook
from notifications.webhooks.delivery import PATIENCE, Delivery
from notifications.webhooks.sending import LONGEST_WAIT, Later, Never, Taken, judged, send, wait_of
from notifications.webhooks.shapes import body_of
from tests.factories import SOME_KIND, now_at
from tests.notifications.receiver import receiver
from tests.rig import ROOT, until
from tests.stream_rig import StreamRig
from tradingplatform.settings import SQLITE_OPTIONS

SECRET = "0123456789abcdef-planted"
NOW = now_at()
AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
db = pytest.mark.django_db(transaction=True)


@pytest.fixture
def there():
    with receiver() as server:
        yield server


class Time:
    """Both clocks, moved by hand."""

    def __init__(self):
        self.now = AT

    def __call__(self):
        return self.now, self.now


def hook_to(url, **changes):
    return Hook.model_validate({"name": "ops", "url": url, "secret": SECRET, **changes})


def delivery_to(url, clocks=None, name_of_process="me", **changes):
    process = Process(name_of_process, lambda name: name == "dead")
    delivery = Delivery(hook_to(url, **changes), process, clocks or Time())
    open_cursor(delivery.reader.subscriber, AT)
    return delivery


def tell(*texts, kind=SOME_KIND, severity=Severity.INFO):
    with transaction.atomic():
        at = {"market_at": AT, "wall_at": AT}
        return [Event.objects.create(kind=kind, text=text, severity=severity, **at) for text in texts]


def an_event(text="it happened", severity=Severity.CRITICAL):
    return Event(
        seq=7, kind="halt_raised", severity=severity, bot_id=3, text=text, payload={"a": "1"}, market_at=AT, wall_at=AT
    )


def deliver(delivery, rounds=1):
    for _ in range(rounds):
        delivery.round(Signal())


def texts(there):
    return [json.loads(got.body)["text"] for got in there.got]


# --- what is sent


def test_the_signature_covers_the_time_and_the_body(there):
    assert send(hook_to(there.url), an_event(), AT) == Taken()

    [got] = there.got
    signed = got.headers["X-Webhook-Timestamp"].encode() + b"." + got.body
    assert got.headers["X-Webhook-Signature"] == f"v1={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"
    assert got.headers["X-Webhook-Timestamp"] == str(int(AT.timestamp()))
    assert got.headers["X-Event-Seq"] == "7"
    assert json.loads(got.body) == {
        "seq": 7, "kind": "halt_raised", "severity": "CRITICAL", "bot_id": 3, "text": "it happened",
        "payload": {"a": "1"}, "market_at": "2026-01-31T12:00:00+00:00", "wall_at": "2026-01-31T12:00:00+00:00",
    }  # fmt: skip


def test_what_was_signed_before_does_not_pass_for_now(there):
    for at in (AT, AT + timedelta(seconds=60)):
        send(hook_to(there.url), an_event(), at)

    first, second = there.got
    assert first.body == second.body
    assert first.headers["X-Webhook-Signature"] != second.headers["X-Webhook-Signature"]


def test_discord_calls_nobody_and_formats_nothing():
    hook = hook_to("https://discord.com/api/webhooks/1/planted", shape="discord")
    sent = json.loads(body_of(hook, an_event("@everyone **bold** " + "x" * 500)))

    assert sent["allowed_mentions"] == {"parse": []}
    assert sent["content"].startswith("CRITICAL: \\@everyone \\*\\*bold\\*\\*")
    assert len(sent["content"]) <= 2_000


def test_slack_reads_no_markup():
    hook = hook_to("https://hooks.slack.com/services/planted", shape="slack")

    assert json.loads(body_of(hook, an_event("<!channel> & more", Severity.INFO))) == {
        "text": "&lt;!channel&gt; &amp; more (2026-01-31 12:00 UTC)"
    }


# --- one attempt


@pytest.mark.parametrize(
    ("status", "becomes"),
    [
        (200, Taken), (202, Taken), (204, Taken),
        (301, Later), (307, Later), (408, Later), (429, Later), (500, Later), (502, Later), (503, Later),
        (400, Never), (401, Never), (403, Never), (404, Never), (410, Never), (413, Never),
    ],
)  # fmt: skip
def test_what_an_answer_means(there, status, becomes):
    there.answer(status)

    assert type(send(hook_to(there.url), an_event(), AT)) is becomes


def test_a_redirect_is_not_followed(there):
    there.answer(307, Location=there.url.replace("/hook", "/elsewhere"))
    send(hook_to(there.url), an_event(), AT)

    assert [got.path for got in there.got] == ["/hook"]


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("7", 7), ("0", 0), ("999999999999", LONGEST_WAIT.total_seconds()),
        ("Sat, 31 Jan 2026 12:00:30 GMT", 30), ("Sat, 31 Jan 2026 11:00:00 GMT", 0),
        ("", None), ("soon", None), ("-5", None),
    ],
)  # fmt: skip
def test_how_long_a_receiver_asks_to_wait(text, wait_s):
    wait = wait_of(text, AT)

    assert (wait.total_seconds() if wait is not None else None) == wait_s


def test_an_answer_that_drips_in_has_a_deadline_as_a_whole(there, monkeypatch):
    monkeypatch.setattr(sending, "DEADLINE_S", 0.5)
    there.drip_s = 0.05
    began_s = time.monotonic()

    assert send(hook_to(there.url), an_event(), AT) == Later("no answer within 0.5 s")
    assert time.monotonic() - began_s < 3


def test_nobody_there_is_later_and_says_why():
    attempt = send(hook_to("http://127.0.0.1:1/planted-path"), an_event(), AT)

    assert isinstance(attempt, Later)
    assert "ConnectError" in attempt.error
    assert "planted" not in attempt.error


def test_an_answer_that_quotes_the_address_is_kept_without_it(there):
    there.said = f"no such hook: {SECRET}".encode()
    there.answer(404)

    assert send(hook_to(there.url), an_event(), AT) == Never("HTTP 404 no such hook: ***")


def test_a_long_answer_is_kept_short():
    assert judged(400, "x", "", AT) == Never("HTTP 400 x")


# --- along the log


@db
def test_events_arrive_in_order_and_a_new_hook_hears_nothing_old(there):
    tell("old")
    number_events()
    delivery = delivery_to(there.url)
    tell("a", "b", "c")
    deliver(delivery)

    assert texts(there) == ["a", "b", "c"]
    assert Cursor.objects.get().seq == 4


@db
def test_one_that_fails_is_tried_again_before_the_next(there):
    clocks = Time()
    delivery = delivery_to(there.url, clocks)
    tell("a", "b")
    there.answer(500, 503)
    pauses = []
    for _ in range(3):
        deliver(delivery)
        cursor = Cursor.objects.get()
        pauses.append((cursor.next_at - clocks.now).total_seconds() if cursor.next_at else None)
        deliver(delivery)  # not due yet: no attempt
        clocks.now = cursor.next_at or clocks.now

    assert texts(there) == ["a", "a", "a", "b"]
    assert pauses == [1, 2, None]


@db
def test_pauses_grow_to_a_minute(there):
    clocks = Time()
    delivery = delivery_to(there.url, clocks)
    tell("a")
    there.answer(*[500] * 9)
    for _ in range(9):
        deliver(delivery)
        last, clocks.now = clocks.now, Cursor.objects.get().next_at

    assert clocks.now - last == LONGEST_PAUSE


@db
def test_a_receiver_that_names_a_time_is_left_alone_until_then(there):
    clocks = Time()
    delivery = delivery_to(there.url, clocks)
    tell("a")
    there.answer(429, Retry_After="120")
    deliver(delivery)

    assert Cursor.objects.get().next_at == AT + timedelta(seconds=120)


@db
def test_what_is_refused_for_good_is_buried_and_the_rest_delivered(there):
    delivery = delivery_to(there.url)
    tell("a", "b", "c")
    there.answer(204, 400, 400)
    deliver(delivery)

    assert texts(there) == ["a", "b", "c"]
    assert [letter.event.text for letter in DeadLetter.objects.order_by("pk")] == ["b", "c"]
    assert Condition.objects.filter(kind=WEBHOOK_REFUSING, subject="ops", ended_at=None).count() == 1


@db
def test_a_hook_that_refuses_everything_comes_to_rest(there):
    """That it refuses is told once: told each time, it would be refused again, and told again."""
    delivery = delivery_to(there.url)
    tell("a")
    there.answer(*[404] * 20)
    deliver(delivery, rounds=5)

    assert len(there.got) == 2  # the event, and that it was refused
    assert Event.objects.count() == 2


@db
def test_a_receiver_that_is_away_is_told_once_and_that_it_is_back(there):
    clocks = Time()
    delivery = delivery_to(there.url, clocks, kinds=[SOME_KIND])
    tell("a")
    there.answer(*[500] * 3)
    deliver(delivery)
    assert not Condition.objects.exists()
    for _ in range(2):
        clocks.now += PATIENCE
        deliver(delivery)
    [condition] = Condition.objects.filter(kind=WEBHOOK_FAILING)
    assert condition.text.startswith("Webhook ops has taken nothing since 12:00 UTC: HTTP 500")

    clocks.now += PATIENCE
    deliver(delivery)
    assert not Condition.objects.filter(ended_at=None).exists()
    assert texts(there) == ["a"] * 4


@db
def test_a_receiver_that_is_away_for_a_day_loses_nothing(there):
    clocks = Time()
    delivery = delivery_to(there.url, clocks, kinds=[SOME_KIND])
    tell("a")
    there.answer(500, 500)
    for _ in range(2):
        deliver(delivery)
        clocks.now += timedelta(hours=13)
    deliver(delivery)

    assert texts(there) == ["a", "a", "a"]
    assert not DeadLetter.objects.exists()


@db
def test_unwanted_events_are_passed_over(there):
    delivery = delivery_to(there.url, severity="WARNING")
    tell("no", "nor this")
    tell("yes", severity=Severity.WARNING)
    tell("no", "nor that")
    deliver(delivery)

    assert texts(there) == ["yes"]
    assert Cursor.objects.get().seq == 5


@db
def test_two_processes_do_not_deliver_twice(there):
    first, second = delivery_to(there.url), delivery_to(there.url, name_of_process="another")
    tell("a")
    deliver(first)
    tell("b")
    deliver(second)
    deliver(first)

    assert texts(there) == ["a", "b"]


@db
def test_a_dead_hook_delays_nobody(there):
    with receiver() as silent:
        silent.drip_s = 0.05
        threads, stop = [], Signal()
        real = lambda: (datetime.now(UTC), datetime.now(UTC))  # noqa: E731
        for name, url in (("dead", silent.url), ("alive", there.url)):
            delivery = delivery_to(url, real, name=name)
            threads.append(Thread(target=delivery.run, args=(stop,)))
        tell(*(str(number) for number in range(20)))
        began_s = time.monotonic()
        for thread in threads:
            thread.start()
        until(lambda: len(there.got) == 20, "the living one to have everything", 15)
        took_s = time.monotonic() - began_s
        stop.set()
        silent.drip_s = 0.0
        silent.server_close()
        for thread in threads:
            thread.join(15)

    assert took_s < 8  # an attempt at the dead one takes ten
    assert texts(there) == [str(number) for number in range(20)]


@db
@pytest.mark.skipif(connection.vendor != "sqlite", reason="elsewhere a writer keeps nobody from another row")
def test_a_database_that_is_busy_after_a_delivery_repeats_nothing_and_delays_little(there):
    there.answer(500)
    stop = Signal()
    delivery = delivery_to(there.url, lambda: (datetime.now(UTC), datetime.now(UTC)))
    thread = Thread(target=delivery.run, args=(stop,))
    tell("once")
    thread.start()
    try:
        until(lambda: Cursor.objects.get().attempts, "the refusal")
        with transaction.atomic():  # nobody else writes, longer than anybody waits for it
            until(lambda: len(there.got) == 2, "the delivery")
            time.sleep(SQLITE_OPTIONS["timeout"] + 1)
            tell("next")
        until(lambda: len(there.got) == 3, "the next one", 3)
    finally:
        stop.set()
        thread.join(15)

    assert texts(there) == ["once", "once", "next"]


@db
def test_what_a_dead_process_held_is_delivered_at_once(there):
    delivery = delivery_to(there.url)
    assert hold(Reader(delivery.reader.subscriber, "dead"), AT)
    tell("in flight")
    deliver(delivery)

    assert texts(there) == ["in flight"]


@db
def test_the_lease_is_renewed_now_and_then_only(there, django_assert_max_num_queries):
    delivery = delivery_to(there.url)
    deliver(delivery)

    with django_assert_max_num_queries(5) as asked:  # whose the cursor is, what is new, what is due
        deliver(delivery)
    assert not [query["sql"] for query in asked.captured_queries if not query["sql"].startswith("SELECT")]


# --- killed in between


@db
def test_a_cursor_that_was_deleted_while_it_ran_does_not_silence_the_hook(there):
    hook = delivery_to(there.url)
    tell("before")
    deliver(hook)
    Cursor.objects.all().delete()
    with pytest.raises(Cursor.DoesNotExist):
        deliver(hook)
    deliver(hook)
    tell("after")
    deliver(hook)
    assert texts(there) == ["before", "after"]


class HookRig(StreamRig):
    """The process that delivers, in place of the web."""

    hooks = "[]"

    def serve(self) -> None:
        self.environment |= {"WEBHOOKS": self.hooks}
        self.web = subprocess.Popen([sys.executable, "manage.py", "webhooks"], cwd=ROOT, env=self.environment)


@pytest.mark.process
def test_killed_again_and_again_nothing_is_lost_and_nothing_overtakes(there, tmp_path):
    HookRig.hooks = json.dumps([{"name": "ops", "url": there.url, "secret": SECRET, "kinds": [SOME_KIND]}])
    there.answer(*[204, 500, 204, 204, 204, 503] * 2)
    rig = HookRig(tmp_path)
    try:
        rig.write("write", "warm", 1)
        writer = rig.write_beside("pace", 60, 20)
        for _ in range(2):
            seen = len(there.got)
            until(lambda seen=seen: len(there.got) > seen + 5, "some deliveries", 60)
            os.kill(rig.web.pid, signal.SIGKILL)
            rig.web.wait()
            rig.serve()
        writer.communicate(timeout=60)
        until(lambda: set(_numbers(there)) >= set(range(60)), "every event", 90)
    finally:
        rig.stop()
    first_times = list(dict.fromkeys(got.seq for got in there.got))

    assert first_times == sorted(first_times)
    assert sum(Counter(_numbers(there)).values()) <= 60 + 4 + 2 + 1  # failed answers, and one for each kill
    assert SECRET not in json.dumps([got.headers for got in there.got])


def _numbers(there):
    return [json.loads(got.body)["payload"]["number"] for got in there.got if b"paced" in got.body]
