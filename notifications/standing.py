"""How far each subscriber with a cursor has come in the log of events."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Q

from notifications.models import Cursor, DeadLetter, Event, EventCounter
from notifications.subscribers import inboxes


@dataclass(frozen=True, slots=True)
class Standing:
    """One cursor. ``behind`` and ``buried`` are counts of events."""

    name: str
    behind: int
    attempts: int
    failing_since: datetime | None
    buried: int


@dataclass(frozen=True, slots=True)
class Log:
    """The log as it stands: events ever published, the cursors by name, and dead letters by subscriber, also of one
    whose cursor is gone."""

    events: int
    cursors: tuple[Standing, ...]
    buried: Mapping[str, int]


def read_log() -> Log:
    """Four queries. What reads something else than the log (an inbox) is left out."""
    numbered = EventCounter.objects.values_list("last", flat=True).first() or 0
    waiting = Event.objects.filter(seq=None).count()
    buried = dict(DeadLetter.objects.order_by().values_list("subscriber").annotate(number=Count("pk")))
    cursors = Cursor.objects.exclude(of_inboxes()).order_by("pk")
    return Log(
        numbered + waiting,
        tuple(
            Standing(
                cursor.name,
                max(0, numbered - cursor.seq) + waiting,
                cursor.attempts,
                cursor.failing_since,
                buried.get(cursor.name, 0),
            )
            for cursor in cursors
        ),
        buried,
    )


def of_inboxes() -> Q:
    """The cursors that are no places in the log of events."""
    found = Q(pk__in=inboxes())
    for name in inboxes():
        found |= Q(pk__startswith=f"{name}:")
    return found
