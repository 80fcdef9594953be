"""The console of events, conditions and the audit trail."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet, Subquery
from django.http import HttpRequest

from notifications.admin_base import SEVERITY_COLOURS, ReadOnlyAdmin, age, at, display, moment, related, span
from notifications.lists.admin import Columns, LongListAdmin
from notifications.lists.cells import wall_ago, wall_when
from notifications.lists.filters import IsEmpty, OneOf, WallDays
from notifications.lists.kinds import KindsThere
from notifications.models import AuditEntry, Condition, Cursor, DeadLetter, Event, EventCounter, Heartbeat
from notifications.subscribers import Subscriber, UnknownSubscriber, Way, owner_of


@admin.register(Event)
class EventAdmin(LongListAdmin):
    """Everything significant, newest first."""

    list_display: Any = ("market_time", "level", "kind", "text", "bot_id", "wall_time")
    list_filter: Any = (("severity", OneOf), ("kind", KindsThere))
    search_fields = ("text", "kind")
    search_help_text = "words of the text, or kind"
    empty_text = "An event appears with everything significant that the platform or an operator does."
    export: Columns = (
        ("seq", "number"),
        ("market_at", "market time (UTC)"),
        ("wall_at", "wall time (UTC)"),
        ("severity", "severity"),
        ("kind", "kind"),
        ("bot_id", "bot id"),
        ("text", "text"),
        ("payload", "payload (JSON)"),
    )

    market_time = at("market_at", "market time (UTC)")
    wall_time = wall_ago("wall_at", "told (wall)")

    @display(description="severity", label=SEVERITY_COLOURS)
    def level(self, event: Event) -> tuple[str, str]:
        return event.severity, event.get_severity_display()


class Lasts(IsEmpty):
    """Of the time at which it ended."""

    words = ("Lasts", "Is over")

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.title = "State"


@admin.register(Condition)
class ConditionAdmin(LongListAdmin):
    """What lasts, or lasted, newest first."""

    list_display = ("began", "state", "level", "kind", "subject", "text")
    list_filter = (("ended_at", Lasts), ("severity", OneOf), ("kind", KindsThere), ("began_at", WallDays))
    search_fields = ("subject", "text")
    search_help_text = "what it is about, or words of the text"
    empty_text = "A condition appears when something begins that lasts, as an exchange that does not answer."
    export = (
        ("id", "condition"),
        ("began_at", "began at (wall time, UTC)"),
        ("ended_at", "ended at (wall time, UTC)"),
        ("severity", "severity"),
        ("kind", "kind"),
        ("subject", "subject"),
        ("text", "text"),
    )

    began = wall_when("began_at", "began (UTC)")

    @display(description="state", label={"lasts": "danger", "over": "default"})
    def state(self, condition: Condition) -> tuple[str, str]:
        if condition.ended_at is None:
            return "lasts", f"for {age(condition.began_at)} now"
        lasted = (condition.ended_at - condition.began_at).total_seconds()
        return "over", f"ended {moment(condition.ended_at)}, after {span(lasted)}"

    @display(description="severity", label=SEVERITY_COLOURS)
    def level(self, condition: Condition) -> tuple[str, str]:
        return condition.severity, condition.get_severity_display()


@admin.register(AuditEntry)
class AuditEntryAdmin(LongListAdmin):
    """What operators did, newest first. Append-only, here and in the database."""

    list_display: Any = ("wall_time", "actor", "address", "action", "subject", "change", "reason", "market_time")
    list_filter: Any = (("action", KindsThere), ("actor", KindsThere), ("wall_at", WallDays))
    search_fields = ("actor", "action", "subject", "reason")
    search_help_text = "who, what, to what, or why"
    empty_text = "An entry appears with each act of a person: here, on the command line and by Telegram."
    export: Columns = (
        ("id", "entry"),
        ("wall_at", "wall time (UTC)"),
        ("market_at", "market time (UTC)"),
        ("actor", "actor"),
        ("address", "address"),
        ("action", "action"),
        ("subject", "subject"),
        ("bot_id", "bot id"),
        ("before", "before (JSON)"),
        ("after", "after (JSON)"),
        ("reason", "reason"),
    )

    market_time = at("market_at", "market time (UTC)")
    wall_time = wall_when("wall_at", "wall time (UTC)")

    @display(description="before and after")
    def change(self, entry: AuditEntry) -> str:
        return _change(entry.before, entry.after)


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnlyAdmin):
    """When each chain of processes last worked from its beginning to its end."""

    list_display = ("name", "beat", "sent", "written")
    empty_text = "A chain appears within a minute of the platform's first start."

    sent = at("sent_at", "begun (UTC)")
    written = at("wall_at", "written (UTC)")

    @display(description="age", ordering="wall_at")
    def beat(self, heartbeat: Heartbeat) -> str:
        return age(heartbeat.wall_at)


@admin.register(Cursor)
class CursorAdmin(ReadOnlyAdmin):
    """How far each subscriber has come, and what keeps it."""

    list_display = ("name", "does", "seq", "behind", "state", "attempts", "error", "moved")
    empty_text = "A subscriber (a chat, a webhook) appears when it is first given events."

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
    list_filter = (("subscriber", KindsThere),)
    empty_text = "An event appears here when a subscriber will not take it, however often it is tried."
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
