"""The order of events: each committed one gets the next number, so that readers follow the log without gaps.

An id will not do. On PostgreSQL rows commit in another order than that of their ids: a reader that has seen 7 would
never look for 6. Numbers are given after the commit, under a lock that no writer of events takes: publishing waits for
nobody, and no deadlock is possible.
"""

from django.db import transaction
from django.db.models import F, QuerySet

from notifications.models import Event, EventCounter

BATCH = 500


def number_events() -> int:
    """Number what was committed since the last call, by any process. Returns the last number given.

    Every reader calls it before it reads. Call it outside a transaction.
    """
    while Event.objects.filter(seq=None).exists():
        _number_some()
    return EventCounter.objects.filter(pk=EventCounter.SINGLETON).values_list("last", flat=True).first() or 0


def events_after(seq: int, most: int = BATCH) -> QuerySet[Event]:
    """The next events after a number, the oldest first."""
    return Event.objects.filter(seq__gt=seq).order_by("seq")[:most]


@transaction.atomic(durable=True)
def _number_some() -> None:
    """At most a batch. One that commits while this runs gets its number the next time."""
    EventCounter.objects.get_or_create(pk=EventCounter.SINGLETON)
    counter = EventCounter.objects.filter(pk=EventCounter.SINGLETON)
    counter.update(last=F("last"))  # the lock: SQLite knows no SELECT FOR UPDATE
    last = counter.values_list("last", flat=True).get()
    events = list(Event.objects.filter(seq=None).order_by("pk").only("pk")[:BATCH])
    for number, event in enumerate(events, last + 1):
        event.seq = number
    Event.objects.bulk_update(events, ["seq"], batch_size=100)
    counter.update(last=last + len(events))
