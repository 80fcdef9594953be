"""The console of events."""

from django.contrib import admin

from notifications.admin_base import SEVERITY_COLOURS, ReadOnlyAdmin, display, moment
from notifications.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Everything significant, newest first."""

    list_display = ("time", "level", "kind", "text", "bot_id")
    list_filter = ("severity", "kind")
    search_fields = ("text", "kind")

    @display(description="wall time (UTC)", ordering="wall_at")
    def time(self, event: Event) -> str:
        return moment(event.wall_at)

    @display(description="severity", ordering="severity", label=SEVERITY_COLOURS)
    def level(self, event: Event) -> tuple[str, str]:
        return event.severity, event.get_severity_display()
