"""The console of events."""

from typing import Any

from django.contrib import admin

from notifications.admin_base import SEVERITY_COLOURS, ReadOnlyAdmin, at, display
from notifications.models import Event


@admin.register(Event)
class EventAdmin(ReadOnlyAdmin):
    """Everything significant, newest first."""

    list_display: Any = ("market_time", "wall_time", "level", "kind", "text", "bot_id")
    list_filter = ("severity", "kind")
    search_fields = ("text", "kind")

    market_time = at("market_at", "market time (UTC)")
    wall_time = at("wall_at", "wall time (UTC)")

    @display(description="severity", ordering="severity", label=SEVERITY_COLOURS)
    def level(self, event: Event) -> tuple[str, str]:
        return event.severity, event.get_severity_display()
