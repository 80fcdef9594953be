"""Events and the audit trail in the console: the bot by its name. (Where they are made, nobody knows of bots.)"""

from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import Model, OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.urls import path
from django.utils.safestring import SafeString
from django.views.decorators.cache import never_cache

from bots.list_cells import market_when
from bots.list_filters import BotById, MarketDays
from bots.models import Bot
from execution.models import Position
from notifications.admin import AuditEntryAdmin, EventAdmin
from notifications.admin_base import change_link, display
from notifications.models import AuditEntry, Event
from tradingplatform.console.feed import LIVE, RISK, Feed, feed_page

admin.site.unregister(Event)
admin.site.unregister(AuditEntry)


class BotOfFleet(BotById):
    """By the names of the fleet."""

    through = Position


class WithBot:
    """Before an admin among the bases: the name of the bot that a row's plain ``bot_id`` means."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]  # the ModelAdmin behind it
        name = Bot.objects.filter(pk=OuterRef("bot_id")).values("name")
        named: QuerySet[Any] = rows.annotate(bot_name=Subquery(name))
        return named

    @display(description="bot", ordering="bot_id")
    def bot_link(self, row: Model) -> SafeString | str:
        name: str | None = row.bot_name  # type: ignore[attr-defined]  # annotated above
        return change_link(None if name is None else Bot(pk=row.bot_id, name=name))  # type: ignore[attr-defined]


@admin.register(Event)
class ConsoleEventAdmin(WithBot, EventAdmin):
    """Everything significant, newest first."""

    list_display = ("market_time", "level", "kind", "text", "bot_link", "wall_time")
    list_filter = (BotOfFleet, *EventAdmin.list_filter, ("market_at", MarketDays))
    readonly_fields = ("bot_link",)
    export = (*EventAdmin.export, ("bot_name", "bot"))

    market_time = market_when("market_at", "market time (UTC)")

    def get_urls(self) -> list[Any]:
        """The pages that go on by themselves, before the events' own."""
        pages = {"live": LIVE, "risk": RISK}
        return [
            *(path(f"{name}/", self._page(feed), name=f"notifications_event_{name}") for name, feed in pages.items()),
            *super().get_urls(),
        ]

    def _page(self, feed: Feed) -> Any:
        return self.admin_site.admin_view(never_cache(partial(feed_page, site=self.admin_site, feed=feed)))


@admin.register(AuditEntry)
class ConsoleAuditAdmin(WithBot, AuditEntryAdmin):
    """What operators did, newest first. Append-only, here and in the database."""

    list_display = (
        "wall_time",
        "actor",
        "address",
        "action",
        "subject",
        "bot_link",
        "change",
        "reason",
        "market_time",
    )
    list_filter = (BotOfFleet, *AuditEntryAdmin.list_filter)
    readonly_fields = ("bot_link",)
    export = (*AuditEntryAdmin.export, ("bot_name", "bot"))
