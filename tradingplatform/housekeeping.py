"""What runs beside the ticks, on the wall clock."""

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from execution.marking import has_old_marks, snapshot_portfolio
from execution.models import Portfolio
from market.clock import Now
from risk.deadman_watch import watch
from tradingplatform.heartbeats import CHAIN, beat

SCHEDULE = {
    "account equity": ("tradingplatform.tasks.snapshot_accounts", 60, "Keeps a point of every account's equity."),
    "dead man's switch": ("tradingplatform.tasks.watch_switch", 30, "Tells the stages of the dead man's switch."),
    "heartbeat": ("tradingplatform.tasks.heartbeat", 30, "Shows that beat, broker, worker and database work together."),
    "retention": ("tradingplatform.tasks.thin_out", 86_400, "Thins out what is older than RETENTION_DAYS."),
}
"""By name: the task, wall seconds between two runs, and what it does."""


def ensure_schedule() -> None:
    """The PeriodicTask rows of the housekeeping queue, made or put right."""
    for name, (task, seconds, what) in SCHEDULE.items():
        every, _ = IntervalSchedule.objects.get_or_create(every=seconds, period=IntervalSchedule.SECONDS)
        PeriodicTask.objects.update_or_create(
            name=f"housekeeping: {name}",
            defaults={
                "task": task,
                "interval": every,
                "queue": "housekeeping",
                "expire_seconds": seconds,
                "description": f"{what} Wall time.",
            },
        )
    PeriodicTasks.update_changed()


def has_schedule() -> bool:
    """Whether every row is there: a platform that was first started by an older version lacks the newer ones."""
    names = [f"housekeeping: {name}" for name in SCHEDULE]
    return bool(PeriodicTask.objects.filter(name__in=names).count() == len(names))


def watch_dead_mans_switch(now: Now) -> None:
    """Tell a stage that has begun, and latch when the time is gone."""
    with transaction.atomic():
        watch(now)


def keep_heartbeat(sent_at_ms: int | None, now: Now) -> None:
    """A message went all the way. One that does not say when it was sent came from nobody's beat, and shows nothing."""
    if sent_at_ms is not None:
        beat(CHAIN, now, sent_at_ms)


def snapshot_accounts(now: Now, speed: float) -> None:
    """Keep every account's equity at its positions' last marks; stale where one of them is old. ``speed`` is the market
    clock's."""
    with transaction.atomic():
        for portfolio in Portfolio.objects.all():
            snapshot_portfolio(portfolio, now, stale=has_old_marks(portfolio.account_id, now, speed))
