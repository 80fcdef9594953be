"""The console of events and conditions."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest

from notifications.admin_base import SEVERITY_COLOURS, ReadOnlyAdmin, age, at, display, moment, related
from notifications.models import AuditEntry, Condition, Cursor, DeadLetter, Event, EventCounter, Heartbeat
from notifications.subscribers import Subscriber, UnknownSubscriber, Way, owner_of


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


@admin.register(Condition)
class ConditionAdmin(ReadOnlyAdmin):
    """What lasts, or lasted, newest first."""

    list_display = ("began", "state", "level", "kind", "subject", "text")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), "kind", "severity")
    search_fields = ("subject", "text")

    began = at("began_at", "began (UTC)")

    @display(description="state", label={"lasts": "danger", "over": "default"})
    def state(self, condition: Condition) -> tuple[str, str]:
        if condition.ended_at is None:
            return "lasts", f"for {age(condition.began_at)} now"
        return "over", f"ended {moment(condition.ended_at)}"

    @display(description="severity", ordering="severity", label=SEVERITY_COLOURS)
    def level(self, condition: Condition) -> tuple[str, str]:
        return condition.severity, condition.get_severity_display()


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """What operators did, newest first. Append-only, here and in the database."""

    list_display: Any = ("wall_time", "actor", "address", "action", "subject", "change", "reason", "market_time")
    list_filter = ("action", "actor")
    search_fields = ("actor", "action", "subject", "reason")
    date_hierarchy = "wall_at"

    market_time = at("market_at", "market time (UTC)")
    wall_time = at("wall_at", "wall time (UTC)")

    @display(description="before and after")
    def change(self, entry: AuditEntry) -> str:
        return _change(entry.before, entry.after)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When each chain of processes last worked from its beginning to its end."""

    list_display = ("name", "beat", "sent", "written")

    sent = at("sent_at", "begun (UTC)")
    written = at("wall_at", "written (UTC)")

    @display(description="age", ordering="wall_at")
    def beat(self, heartbeat: Heartbeat) -> str:
        return age(heartbeat.wall_at)


@admin.register(Cursor)
class CursorAdmin(ReadOnlyAdmin):
    """How far each subscriber has come, and what keeps it."""

    list_display = ("name", "does", "seq", "behind", "state", "attempts", "error", "moved")

    moved = at("moved_at", "moved on (UTC)")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cursor]:
        cursors: QuerySet[Cursor] = super().get_queryset(request)
        return cursors.annotate(last=Subquery(EventCounter.objects.values("last")[:1]))

    @display(description="what it does")
    def does(self, cursor: Cursor) -> str:
        owner = _owner(cursor)
        return owner.does if owner else "nothing: no subscriber has this name"

    @display(description="behind")
    def behind(self, cursor: Any) -> str:
        owner = _owner(cursor)
        if owner and owner.way is Way.INBOX:
            return "-"
        return f"{max(0, (cursor.last or 0) - cursor.seq)} events"

    @display(description="state", label={"delivers": "success", "fails": "danger"})
    def state(self, cursor: Cursor) -> tuple[str, str]:
        if cursor.failing_since is None:
            return "delivers", "delivers"
        return "fails", f"fails for {age(cursor.failing_since)}"


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin):
    """Events that a subscriber would not take, newest first."""

    list_display = ("buried", "subscriber", "told", "error", "attempts")
    list_filter = ("subscriber",)
    list_select_related = ("event",)

    buried = at("buried_at", "given up (UTC)")
    told = related("event")


def _owner(cursor: Cursor) -> Subscriber | None:
    try:
        return owner_of(cursor.name)
    except UnknownSubscriber:
        return None


def _change(before: dict[str, Any], after: dict[str, Any]) -> str:
    """In one line, by name; what only one of them has, too."""
    names = dict.fromkeys([*before, *after])
    return "; ".join(f"{name}: {before.get(name, '-')} to {after.get(name, '-')}" for name in names)[:200]
