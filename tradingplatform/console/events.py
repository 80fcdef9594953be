"""Events in the console: the bot by its name. (Where events are made, nobody knows of bots.)"""

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.safestring import SafeString

from bots.models import Bot
from notifications.admin import EventAdmin
from notifications.admin_base import change_link, display
from notifications.models import Event

admin.site.unregister(Event)


@admin.register(Event)
class ConsoleEventAdmin(EventAdmin):
    """Everything significant, newest first."""

    list_display = ("market_time", "wall_time", "level", "kind", "text", "bot_link")
    readonly_fields = ("bot_link",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset(request)
        name = Bot.objects.filter(pk=OuterRef("bot_id")).values("name")
        return events.annotate(bot_name=Subquery(name))

    @display(description="bot", ordering="bot_id")
    def bot_link(self, event: Event) -> SafeString | str:
        name: str | None = event.bot_name  # type: ignore[attr-defined]  # annotated above
        return change_link(None if name is None else Bot(pk=event.bot_id, name=name))
