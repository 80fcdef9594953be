"""The PeriodicTask rows follow the bots, whoever changes them."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from hypothesis import given
from hypothesis import strategies as st

from bots import lifecycle, schedule
from bots.models import Bot, BotStatus
from bots.schedule import stagger_s, sync_all, sync_many
from market.slots import TIMEFRAMES
from tests.factories import SLOT_0, make_account, make_bot, now_at

NOW = now_at()


def row_of(bot: Bot) -> PeriodicTask:
    return PeriodicTask.objects.get(task=schedule.TICK_TASK, kwargs=json.dumps({"bot_id": bot.pk}))


def stamp() -> datetime | None:
    return PeriodicTasks.last_change()


@given(bot_id=st.integers(1, 10**9), interval=st.sampled_from(list(TIMEFRAMES.values())))
def test_the_stagger_is_small_and_two_seconds_from_the_neighbours(bot_id: int, interval: int) -> None:
    mine, next_one = stagger_s(bot_id, interval), stagger_s(bot_id + 1, interval)
    assert 2 <= mine <= interval / 10
    assert next_one - mine == 2 or (mine == interval / 10 and next_one == 2)


def test_forty_five_bots_never_share_a_moment() -> None:
    for interval in TIMEFRAMES.values():
        assert len({stagger_s(bot_id, interval) for bot_id in range(1, 46)}) == 45


@pytest.mark.django_db
def test_a_new_bot_has_its_row() -> None:
    bot = make_bot(timeframe="1h")
    row = row_of(bot)
    assert row.name == f"bot:{bot.pk} {bot.name}"
    assert (row.task, row.queue, row.enabled) == ("tradingplatform.tasks.tick_bot", "trading", True)
    assert (row.interval.every, row.interval.period) == (3600, "seconds")
    assert bot.stagger_s == stagger_s(bot.pk, 3600)
    assert row.start_time == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=bot.stagger_s)
    assert "the truth" in row.description
    assert row.last_run_at is None
    row.full_clean()  # the admin can show and validate it


@pytest.mark.django_db
def test_the_instance_that_was_saved_knows_its_stagger() -> None:
    account = make_account()
    bot = Bot.objects.create(
        account=account, name="fresh", strategy="rsi_reversal", symbol="BTC/USDT", timeframe="15m", capital=1000
    )
    assert bot.stagger_s == stagger_s(bot.pk, 900)


@pytest.mark.django_db
def test_on_and_off_follow_the_status() -> None:
    bot = make_bot(status=BotStatus.STOPPED)
    assert not row_of(bot).enabled
    lifecycle.start(bot, now=NOW, actor="test")
    assert row_of(bot).enabled
    before = stamp()
    lifecycle.pause(bot, now=NOW, actor="test")
    lifecycle.halt(bot.pk, "x", now=NOW, actor="test")
    lifecycle.reset(bot, now=NOW, actor="test")
    assert row_of(bot).enabled  # exits are managed in every status but STOPPED
    assert stamp() == before  # so beat need not reload
    lifecycle.stop(bot, now=NOW, actor="test")
    assert not row_of(bot).enabled
    assert stamp() != before


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("old", "new", "last_slot", "expected"),
    [
        ("15m", "1h", SLOT_0 + 3, SLOT_0 // 4),  # 00:45 lies in the hour of 00:00
        ("1h", "15m", SLOT_0 // 4, SLOT_0),  # the rest of that hour is owed
        ("15m", "4h", -1, -1),
    ],
)
def test_a_change_of_timeframe_carries_the_last_slot_over(old: str, new: str, last_slot: int, expected: int) -> None:
    bot = make_bot(timeframe=old, last_slot=last_slot)
    before, pk = stamp(), row_of(bot).pk
    bot.timeframe = new
    bot.save()
    stored = Bot.objects.get(pk=bot.pk)
    assert (bot.last_slot, stored.last_slot) == (expected, expected)
    assert (bot.stagger_s, stored.stagger_s) == (stagger_s(bot.pk, TIMEFRAMES[new]),) * 2
    assert row_of(bot).interval.every == TIMEFRAMES[new]
    assert row_of(bot).pk == pk
    assert stamp() != before


@pytest.mark.django_db
def test_a_new_name_keeps_the_row() -> None:
    bot = make_bot()
    PeriodicTask.objects.filter(pk=row_of(bot).pk).update(total_run_count=7)
    bot.name = "renamed"
    bot.save(update_fields=["name"])
    assert (row_of(bot).name, row_of(bot).total_run_count) == (f"bot:{bot.pk} renamed", 7)


@pytest.mark.django_db
def test_a_save_that_changes_nothing_of_the_schedule_does_not_disturb_beat() -> None:
    bot = make_bot()
    before = stamp()
    bot.symbol = "ETH/USDT"
    bot.save()
    with CaptureQueriesContext(connection) as queries:
        bot.save(update_fields=["symbol"])
    assert stamp() == before
    assert not any("django_celery_beat" in query["sql"] for query in queries)


@pytest.mark.django_db
def test_the_stored_bot_counts_not_the_instance() -> None:
    stale = make_bot()
    lifecycle.stop(Bot.objects.get(pk=stale.pk), now=NOW, actor="test")
    stale.save(update_fields=["name"])
    assert not row_of(stale).enabled


@pytest.mark.django_db
def test_a_deleted_bot_leaves_no_row() -> None:
    bot, other = make_bot(), make_bot()
    before = stamp()
    schedule.bot_deleted(Bot, bot)
    assert [row_of(other)] == list(PeriodicTask.objects.filter(task=schedule.TICK_TASK))
    assert stamp() != before


@pytest.mark.django_db
def test_deleting_sends_the_signal() -> None:
    account = make_account()
    bot = Bot(account=account, name="bare", strategy="rsi_reversal", symbol="A/USDT", timeframe="15m", capital=1)
    Bot.objects.bulk_create([bot])  # bare of the rows that would protect it
    sync_many([bot.pk])
    assert row_of(bot)
    bot.delete()
    assert not PeriodicTask.objects.filter(task=schedule.TICK_TASK).exists()


@pytest.mark.django_db(transaction=True)
def test_bot_and_schedule_commit_or_roll_back_together() -> None:
    bot = make_bot(status=BotStatus.STOPPED)
    before = stamp()
    with transaction.atomic():
        lifecycle.start(bot, now=NOW, actor="test")
        transaction.set_rollback(True)
    assert not row_of(bot).enabled
    assert stamp() == before


@pytest.mark.django_db
@pytest.mark.parametrize("count", [1, 45, 450])
def test_a_bulk_load_takes_the_same_few_queries(count: int) -> None:
    account = make_account()
    timeframes = list(TIMEFRAMES)
    bots = Bot.objects.bulk_create(
        Bot(
            account=account,
            name=f"bulk-{number}",
            strategy="rsi_reversal",
            symbol="BTC/USDT",
            timeframe=timeframes[number % 3],
            capital=1000,
            status=BotStatus.RUNNING,
        )
        for number in range(count)
    )
    with CaptureQueriesContext(connection) as queries:
        sync_many([bot.pk for bot in bots])
    assert PeriodicTask.objects.filter(task=schedule.TICK_TASK, enabled=True).count() == count
    assert len(queries) <= 45  # mostly the three intervals, each of which stamps the change
    with CaptureQueriesContext(connection) as queries:
        sync_many([bot.pk for bot in bots])
    assert len(queries) <= 8


@pytest.mark.django_db
def test_the_repair_makes_missing_rows_and_removes_orphans() -> None:
    bot, lost = make_bot(), make_bot()
    PeriodicTask.objects.filter(pk=row_of(lost).pk).delete()
    PeriodicTask.objects.filter(pk=row_of(bot).pk).update(enabled=False, queue="elsewhere")
    stray = PeriodicTask.objects.create(
        name="bot:4711 gone", task=schedule.TICK_TASK, kwargs='{"bot_id": 4711}', interval=row_of(bot).interval
    )
    other = PeriodicTask.objects.create(name="housekeeping", task="other", interval=row_of(bot).interval)
    sync_all()
    assert row_of(lost).enabled
    assert (row_of(bot).enabled, row_of(bot).queue) == (True, "trading")
    assert not PeriodicTask.objects.filter(pk=stray.pk).exists()
    assert PeriodicTask.objects.filter(pk=other.pk).exists()
    before = stamp()
    sync_all()
    assert stamp() == before
