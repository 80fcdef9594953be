"""Bot -> django-celery-beat's PeriodicTask: one row per bot, derived, never edited by hand.

The Bot row is the truth of interval, phase and on/off. ``sync_many`` makes the rows agree with it and writes only what
differs, so it may be called at every save. It runs inside the caller's transaction: a bot and its schedule commit
together. A QuerySet that changes bots (bulk_create, update) sends no signal: call ``sync_many`` after it.
"""

import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from bots.models import Bot, BotStatus
from market.slots import slot_at, slot_start_ms

TICK_TASK = "tradingplatform.tasks.tick_bot"
TRADING_QUEUE = "trading"
STEP_S = 2
"""Market seconds between the ticks of two bots with neighbouring ids."""

STAGGER_SHARE = 10
"""The stagger takes at most one part in so many of the interval: a signal on a candle should not be older than that."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DESCRIPTION = (
    "Derived from the Bot row, which is the truth: timeframe, phase and on/off are changed there. Changes made here "
    "are overwritten, and switching this row off is no safety stop: pause or halt the bot instead."
)
_READ = 500  # bots per query of sync_all
_WRITTEN = ["name", "task", "kwargs", "queue", "interval", "start_time", "enabled", "description"]
_MATTERS = {"name", "timeframe", "status", "stagger_s"}


def stagger_s(bot_id: int, interval_s: int) -> int:
    """Seconds of market time after the candle's close at which this bot ticks, from 2 to a tenth of the interval.

    Never 0: an exchange needs a moment to publish the candle that has just closed.
    """
    places = interval_s // STAGGER_SHARE // STEP_S
    return STEP_S * (1 + (bot_id - 1) % places)


def task_kwargs(bot_id: int) -> str:
    """The task's arguments as its row stores them; also how the row of a bot is found."""
    return json.dumps({"bot_id": bot_id})


def sync(bot: Bot) -> None:
    """Make this bot's row agree with the bot as stored, and put what changed on ``bot`` too."""
    for stored in sync_many([bot.pk]):
        bot.stagger_s, bot.last_slot = stored.stagger_s, stored.last_slot


def sync_many(bot_ids: Sequence[int]) -> list[Bot]:
    """``sync`` for many bots with a fixed number of queries. Returns the bots as they are stored now."""
    with transaction.atomic():
        bots = list(Bot.objects.select_for_update().filter(pk__in=bot_ids))
        keys = {task_kwargs(bot.pk): bot for bot in bots}
        found = PeriodicTask.objects.filter(task=TICK_TASK, kwargs__in=keys).select_related("interval")
        rows = {row.kwargs: row for row in found}
        moved = [bot for key, bot in keys.items() if _settle(bot, rows.get(key))]
        Bot.objects.bulk_update(moved, ["stagger_s", "last_slot"], batch_size=100)
        _write_rows(keys, rows)
    return bots


def sync_all() -> None:
    """Repair: every bot has its row, and no row is without a bot. Cheap when nothing is wrong."""
    with transaction.atomic():
        ids = list(Bot.objects.values_list("pk", flat=True))
        for start in range(0, len(ids), _READ):
            sync_many(ids[start : start + _READ])
        keys = {task_kwargs(pk) for pk in ids}
        rows = PeriodicTask.objects.filter(task=TICK_TASK).values_list("pk", "kwargs")
        for orphan in [pk for pk, kwargs in rows if kwargs not in keys]:
            PeriodicTask.objects.filter(pk=orphan).delete()


def remove(bot_id: int) -> None:
    """Take the bot's row away. (django-celery-beat tells beat of deleted rows itself.)"""
    PeriodicTask.objects.filter(task=TICK_TASK, kwargs=task_kwargs(bot_id)).delete()


def bot_saved(sender: object, instance: Bot, update_fields: Iterable[str] | None = None, **_: Any) -> None:
    """Receiver of post_save."""
    if update_fields is None or not _MATTERS.isdisjoint(update_fields):
        sync(instance)


def bot_deleted(sender: object, instance: Bot, **_: Any) -> None:
    """Receiver of post_delete."""
    assert instance.pk is not None
    remove(instance.pk)


def _settle(bot: Bot, row: Any) -> bool:
    """Set the stagger of the bot's timeframe and, when that has changed, carry its last slot over to it.

    Slot numbers of two timeframes differ: without this a bot moved from 15m to 1h would wait for a century. Returns
    whether the bot is to be written.
    """
    before = bot.stagger_s, bot.last_slot
    bot.stagger_s = stagger_s(bot.pk, bot.interval_s)
    if row is not None and row.interval is not None and row.interval.every != bot.interval_s and bot.last_slot >= 0:
        bot.last_slot = slot_at(slot_start_ms(bot.last_slot, row.interval.every), bot.interval_s)
    return before != (bot.stagger_s, bot.last_slot)


def _write_rows(bots: dict[str, Bot], rows: dict[str, Any]) -> None:
    """Create the missing rows and update those that differ; beat is told once."""
    intervals = {every: _interval(every) for every in {bot.interval_s for bot in bots.values()}}
    missing, different = [], []
    for key, bot in bots.items():
        wanted = _wanted(bot, intervals[bot.interval_s])
        row = rows.get(key)
        if row is None:
            missing.append(PeriodicTask(**wanted))
        elif any(getattr(row, name) != value for name, value in wanted.items()):
            for name, value in wanted.items():
                setattr(row, name, value)
            different.append(row)
    PeriodicTask.objects.bulk_create(missing, update_conflicts=True, unique_fields=["name"], update_fields=_WRITTEN[1:])
    PeriodicTask.objects.bulk_update(different, _WRITTEN, batch_size=100)
    if missing or different:
        PeriodicTasks.update_changed()


def _wanted(bot: Bot, interval: Any) -> dict[str, Any]:
    return {
        "name": f"bot:{bot.pk} {bot.name}",
        "task": TICK_TASK,
        "kwargs": task_kwargs(bot.pk),
        "queue": TRADING_QUEUE,
        "interval": interval,
        "start_time": _EPOCH + timedelta(seconds=bot.stagger_s),
        "enabled": bot.status != BotStatus.STOPPED,
        "description": _DESCRIPTION,
    }


def _interval(every: int) -> Any:
    """The shared IntervalSchedule; its table has no unique constraint, so there may be two."""
    wanted = {"every": every, "period": IntervalSchedule.SECONDS}
    return IntervalSchedule.objects.filter(**wanted).first() or IntervalSchedule.objects.create(**wanted)
