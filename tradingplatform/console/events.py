"""Events in the console: the bot by its name. (Where events are made, nobody knows of bots.)"""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache

from bots.models import Bot
from notifications.admin import EventAdmin
from notifications.admin_base import change_link, display
from notifications.models import Event
from tradingplatform.console.feed import LIVE, RISK, Feed, feed_page

admin.site.unregister(Event)


@admin.register(Event)
class ConsoleEventAdmin(EventAdmin):
    """Everything significant, newest first."""

    list_display = ("market_time", "wall_time", "level", "kind", "text", "bot_link")
    readonly_fields = ("bot_link",)

    def get_urls(self) -> list[Any]:
        """The pages that go on by themselves, before the events' own."""
        pages = {"live": LIVE, "risk": RISK}
        return [
            *(path(f"{name}/", self._page(feed), name=f"notifications_event_{name}") for name, feed in pages.items()),
            *super().get_urls(),
        ]

    def _page(self, feed: Feed) -> Any:
        return self.admin_site.admin_view(never_cache(partial(feed_page, site=self.admin_site, feed=feed)))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        events: QuerySet[Event] = super().get_queryset(request)
        name = Bot.objects.filter(pk=OuterRef("bot_id")).values("name")
        return events.annotate(bot_name=Subquery(name))

    @display(description="bot", ordering="bot_id")
    def bot_link(self, event: Event) -> SafeString | str:
        name: str | None = event.bot_name  # type: ignore[attr-defined]  # annotated above
        return change_link(None if name is None else Bot(pk=event.bot_id, name=name))
