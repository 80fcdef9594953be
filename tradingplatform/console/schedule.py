"""The scheduler's tables: to look at. The Bot row is the truth; its schedule follows it (see bots/schedule.py)."""

from django.contrib import admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from bots.schedule import TICK_TASK
from notifications.admin_base import ReadOnlyAdmin, age, display

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    """What beat sends, and when."""

    list_display = ("name", "enabled", "runs", "phase", "queue", "last_sent")
    fields = readonly_fields = (
        "name",
        "task",
        "kwargs",
        "enabled",
        "runs",
        "phase",
        "queue",
        "last_run_at",
        "total_run_count",
        "description",
    )
    list_filter = ("enabled", "queue", "task")
    search_fields = ("name", "task")
    list_select_related = ("interval", "crontab", "solar", "clocked")

    @display(description="runs")
    def runs(self, task: PeriodicTask) -> str:
        """Bots tick on the market clock, everything else on the wall clock."""
        if task.interval is None or task.interval.period != IntervalSchedule.SECONDS:
            return str(task.schedule)
        return f"every {task.interval.every} s of {'market' if _ticks_a_bot(task) else 'wall'} time"

    @display(description="phase")
    def phase(self, task: PeriodicTask) -> str:
        """A bot's start time lies in 1970, in the very first slot: how long after a slot's beginning it ticks."""
        if not _ticks_a_bot(task) or task.start_time is None:
            return "-"
        return f"{task.start_time.timestamp():.0f} s after the candle's close"

    @display(description="last sent", ordering="last_run_at")
    def last_sent(self, task: PeriodicTask) -> str:
        return age(task.last_run_at)


@admin.register(ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """The intervals that tasks refer to."""


def _ticks_a_bot(task: PeriodicTask) -> bool:
    return bool(task.task == TICK_TASK)
