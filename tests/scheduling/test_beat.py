"""The scheduler on a real Redis: what is in the queue after what has happened."""

import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection, transaction
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from bots import lifecycle
from bots.models import Bot, BotStatus
from bots.schedule import TICK_TASK
from market.clock import Clock, Now
from market.slots import slot_at, slot_start_ms
from tests.factories import SLOT_0, make_account, make_bot
from tests.redis_server import running_redis
from tests.scheduling.conftest import Bell, bot_of, run_for, step
from tradingplatform.beat import PhaseAnchoredScheduler

pytestmark = [pytest.mark.process, pytest.mark.django_db(transaction=True)]

Beats = Callable[[], PhaseAnchoredScheduler]
SetClock = Callable[..., Clock]

MID = slot_start_ms(SLOT_0, 900) + 450_000  # every phase of slot 0 is past


def make_bots(count: int, **changes: object) -> list[Bot]:
    account = make_account()
    return [make_bot(account, **changes) for _ in range(count)]


def have_run(bots: list[Bot]) -> None:
    PeriodicTask.objects.filter(task=TICK_TASK).update(last_run_at="2024-01-01T00:00:00Z")


def test_on_start_every_bot_is_rung_once_in_the_order_of_its_stagger(
    bell: Bell, beats: Beats, set_clock: SetClock
) -> None:
    clock = set_clock(MID)
    bots = make_bots(5)
    make_bot(status=BotStatus.STOPPED)
    step(beats())
    messages = bell.messages()
    assert [bot_of(message) for message in messages] == [
        bot.pk for bot in sorted(bots, key=lambda bot: (bot.stagger_s, bot.pk))
    ]
    headers = messages[0]["headers"]
    assert headers["task"] == TICK_TASK
    remaining = datetime.fromisoformat(headers["expires"]).timestamp() - clock.wall_ms(MID) / 1000
    assert 449 <= remaining <= 451  # the next slot begins in 450 s


def test_between_slot_and_phase_only_those_that_never_ran_are_rung(
    bell: Bell, beats: Beats, set_clock: SetClock
) -> None:
    set_clock(slot_start_ms(SLOT_0, 900))
    have_run(make_bots(3))
    never = make_bot()
    beat = beats()
    step(beat)
    assert bell.bots() == {never.pk: 1}
    set_clock(MID)
    step(beat)
    assert bell.bots() == Counter(Bot.objects.exclude(pk=never.pk).values_list("pk", flat=True))


def test_every_slot_is_rung_exactly_once_and_the_missed_ones_coalesce(
    bell: Bell, beats: Beats, set_clock: SetClock
) -> None:
    bots = make_bots(4)
    set_clock(MID)
    beat = beats()
    step(beat)
    once = Counter(bot.pk for bot in bots)
    assert bell.bots() == once
    for slots in (1, 1, 5000, 1):  # 5000: an outage, or SIGSTOP, of seven weeks
        now = Clock.market_ms(beat._clock, Clock().now().wall_ms)
        set_clock(now + slots * 900_000)
        step(beat)
        assert bell.bots() == once
        step(beat)
        assert bell.bots() == {}


def test_the_stagger_survives_an_outage(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    bots = make_bots(3)
    set_clock(MID)
    beat = beats()
    step(beat)
    set_clock(MID + 90_000_000)
    step(beat)
    now = beat._clock.now()
    for due, _, entry in beat._due:
        bot = next(bot for bot in bots if entry.kwargs == {"bot_id": bot.pk})
        market = beat._clock.market_ms(due)
        assert 0 <= market - slot_start_ms(slot_at(now.market_ms, 900) + 1, 900) - bot.stagger_s * 1000 <= 1


def test_a_clock_set_back_stops_nobody(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    bot = make_bot()
    set_clock(MID)
    beat = beats()
    step(beat)
    set_clock(MID - 90_000_000)
    step(beat)
    assert bell.bots() == {bot.pk: 2}


def test_a_broken_clock_file_is_ignored_while_running_but_not_at_the_start(
    beats: Beats, bell: Bell, set_clock: SetClock
) -> None:
    bot = make_bot()
    set_clock(MID)
    beat = beats()
    settings.CLOCK_FILE.write_text("{")
    step(beat)
    assert bell.bots() == {bot.pk: 1}
    with pytest.raises(ValueError, match="not a clock anchor"):
        beats()


def test_changes_of_bots_are_followed(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    clock = set_clock(MID)
    bot = make_bot()
    beat = beats()
    step(beat)
    new, stopped = make_bot(), make_bot(status=BotStatus.STOPPED)
    step(beat)
    assert bell.bots() == {bot.pk: 1, new.pk: 1}
    now = Now(clock.wall_ms(MID), MID)
    lifecycle.start(stopped, now=now, actor="test")
    lifecycle.stop(new, now=now, actor="test")
    bot.timeframe = "1h"
    with transaction.atomic():
        bot.save()
    set_clock(MID + 3_600_000)
    step(beat)
    assert bell.bots() == {bot.pk: 1, stopped.pk: 1}


def test_a_row_changed_by_a_queryset_is_seen_with_its_stamp(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    set_clock(MID)
    bot = make_bot()
    PeriodicTask.objects.filter(task=TICK_TASK).update(enabled=False)
    beat = beats()  # whose repair finds that the row disagrees with the bot
    step(beat)
    assert bell.bots() == {bot.pk: 1}
    PeriodicTask.objects.filter(task=TICK_TASK).update(enabled=False)
    PeriodicTasks.objects.update(last_update="2001-01-01T00:00:00Z")  # a stamp from a wall clock set back
    step(beat)
    assert beat.schedule == {}


def test_two_beats_ring_twice_and_count_together(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    bots = make_bots(3)
    set_clock(MID)
    one, two = beats(), beats()
    step(one)
    step(two)
    assert bell.bots() == Counter({bot.pk: 2 for bot in bots})
    one.sync()
    two.sync()
    assert set(PeriodicTask.objects.values_list("total_run_count", flat=True)) == {2}


def test_run_times_are_written_in_bulk_and_revert_nobodys_change(
    bell: Bell, beats: Beats, set_clock: SetClock, django_assert_num_queries: Any
) -> None:
    make_bots(5)
    set_clock(MID)
    beat = beats()
    step(beat)
    PeriodicTask.objects.filter(task=TICK_TASK).update(enabled=False, description="an operator's")
    with django_assert_num_queries(3):  # begin, one statement for all rows, commit
        beat.sync()
    for row in PeriodicTask.objects.all():
        assert (row.enabled, row.description, row.total_run_count) == (False, "an operator's", 1)
        assert abs(row.last_run_at.timestamp() - time.time()) < 10
    with django_assert_num_queries(0):
        beat.sync()


def test_other_entries_keep_the_stock_rule(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    set_clock(MID, speed=3600)
    minute = IntervalSchedule.objects.create(every=60, period="seconds")
    short = IntervalSchedule.objects.create(every=1, period="seconds")
    never = CrontabSchedule.objects.create(month_of_year="2", day_of_month="30")
    ago = "2024-01-01T00:00:00Z"
    PeriodicTask.objects.create(name="minute", task="m", interval=minute, queue="housekeeping", last_run_at=ago)
    PeriodicTask.objects.create(name="second", task="s", interval=short, queue="housekeeping", last_run_at=ago)
    PeriodicTask.objects.create(name="never", task="n", crontab=never, queue="housekeeping")
    once = PeriodicTask.objects.create(name="1", task="o", interval=minute, queue="housekeeping", one_off=True)
    PeriodicTask.objects.filter(pk=once.pk).update(last_run_at=ago)
    beat = beats()
    run_for([beat], 2.5)
    sent = Counter(message["headers"]["task"] for message in bell.messages("housekeeping"))
    assert sent == {"m": 1, "o": 1, "s": 3}


def test_the_entries_of_the_settings_are_stored(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    set_clock(MID)
    bell.app.conf.beat_schedule = {
        "from the settings": {"task": "c", "schedule": timedelta(hours=1), "options": {"queue": "housekeeping"}}
    }
    beats()
    assert PeriodicTask.objects.get(name="from the settings").queue == "housekeeping"


def test_a_broken_row_harms_nobody_else_and_stays_as_it_is(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    bot = make_bot()
    set_clock(MID)
    minute = IntervalSchedule.objects.create(every=60, period="seconds")
    PeriodicTask.objects.create(name="broken", task="b", interval=minute, kwargs="{")
    PeriodicTask.objects.bulk_create([PeriodicTask(name="no schedule", task="b")])
    step(beats())
    assert bell.bots() == {bot.pk: 1}
    assert PeriodicTask.objects.filter(name__in=["broken", "no schedule"], enabled=True).count() == 2


def test_a_dead_broker_loses_no_slot(set_clock: SetClock) -> None:
    bots = make_bots(3)
    set_clock(MID)
    with running_redis() as server:
        bell = Bell(server.url)
        server.kill()
        beat = PhaseAnchoredScheduler(app=bell.app)
        began = time.monotonic()
        run_for([beat], 1.2)
        assert time.monotonic() - began < 1.5
        assert beat._sent == {}
        server.process = restarted(server)
        run_for([beat], 1.6)
        assert bell.bots() == Counter(bot.pk for bot in bots)
        beat.close()


def test_a_hung_broker_costs_one_timeout_and_no_slot(set_clock: SetClock) -> None:
    bot = make_bot()
    set_clock(MID)
    with running_redis() as server:
        bell = Bell(server.url)
        beat = PhaseAnchoredScheduler(app=bell.app)
        server.freeze()
        run_for([beat], 0.8)
        assert beat._sent == {}
        began = time.monotonic()
        beat.close()  # as the handler of SIGTERM does
        assert time.monotonic() - began < 1
        beat._closing = False
        server.thaw()
        run_for([beat], 1.6)
        assert bell.bots() == {bot.pk: 1}
        beat.close()
        with pytest.raises(SystemExit):
            beat.tick()


def restarted(server: Any) -> Any:
    from tests.redis_server import start_redis

    return start_redis(server.socket)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="one writer at a time is SQLite's way")
def test_a_locked_or_incomplete_database_does_not_stop_the_bell(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    bots = make_bots(3)
    set_clock(MID)
    beat = beats()
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA busy_timeout=50")
    locker = sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)
    try:
        locker.execute("BEGIN EXCLUSIVE")
        step(beat)
        beat.sync()
        assert bell.bots() == Counter(bot.pk for bot in bots)
        assert len(beat._runs) == 3  # kept for later
        locker.execute("ALTER TABLE django_celery_beat_periodictasks RENAME TO away")
        locker.execute("COMMIT")
        set_clock(MID + 900_000)
        step(beat)
        assert bell.bots() == Counter(bot.pk for bot in bots)
    finally:
        locker.execute("ALTER TABLE away RENAME TO django_celery_beat_periodictasks")
        locker.close()
    beat.sync()
    assert set(PeriodicTask.objects.values_list("total_run_count", flat=True)) == {2}


def test_many_slots_at_high_speed(bell: Bell, beats: Beats, set_clock: SetClock) -> None:
    """45 bots, two beats, a slot of 15 minutes in 0.45 s: nobody is rung three times for one.

    A machine that does not run the beats for a tenth of a second costs a bot with a late phase its slot.
    """
    bots = make_bots(45)
    have_run(bots)
    speed = 2000.0
    clock = set_clock(slot_start_ms(SLOT_0, 900), speed)
    run_for([beats(), beats()], 3.0)
    end = clock.now().market_ms
    messages = bell.messages()
    owed = 0
    for bot in bots:
        due = [slot for slot in range(SLOT_0, SLOT_0 + 40) if slot_start_ms(slot, 900) + bot.stagger_s * 1000 <= end]
        mine = [message for message in messages if bot_of(message) == bot.pk]
        assert 2 <= len(mine) <= 2 * len(due), f"{bot}: {len(mine)} rings for {len(due)} slots"
        owed += 2 * len(due)
    assert owed >= 2 * 45 * 5
    assert len(messages) >= 0.7 * owed
