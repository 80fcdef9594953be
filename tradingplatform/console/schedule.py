"""The scheduler's tables: to look at. The Bot row is the truth; its schedule follows it (see bots/schedule.py)."""

from django.contrib import admin
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from notifications.admin_base import ReadOnlyAdmin, age, display

for model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    """What beat sends, and when."""

    list_display = ("name", "enabled", "interval", "queue", "start_time", "last_sent")
    list_filter = ("enabled", "queue", "task")
    search_fields = ("name", "task")
    list_select_related = ("interval", "crontab", "solar", "clocked")

    @display(description="last sent", ordering="last_run_at")
    def last_sent(self, task: PeriodicTask) -> str:
        return age(task.last_run_at)


@admin.register(ClockedSchedule, CrontabSchedule, IntervalSchedule, SolarSchedule)
class ScheduleAdmin(ReadOnlyAdmin):
    """The intervals that tasks refer to."""
