"""What runs beside the ticks, on the wall clock."""

from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from execution.marking import snapshot_portfolio
from execution.models import Portfolio
from market.clock import Now

SNAPSHOT_EVERY_S = 60
"""Wall seconds between two stored points of the account's equity."""


def ensure_schedule() -> None:
    """The PeriodicTask rows of the housekeeping queue, made or put right."""
    every, _ = IntervalSchedule.objects.get_or_create(every=SNAPSHOT_EVERY_S, period=IntervalSchedule.SECONDS)
    PeriodicTask.objects.update_or_create(
        name="housekeeping: account equity",
        defaults={
            "task": "tradingplatform.tasks.snapshot_accounts",
            "interval": every,
            "queue": "housekeeping",
            "expire_seconds": SNAPSHOT_EVERY_S,
            "description": "Keeps a point of every account's equity. Wall time.",
        },
    )
    PeriodicTasks.update_changed()


def snapshot_accounts(now: Now) -> None:
    """Keep every account's equity at its positions' last marks."""
    with transaction.atomic():
        for portfolio in Portfolio.objects.all():
            snapshot_portfolio(portfolio, now)
