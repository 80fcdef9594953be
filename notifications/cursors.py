"""How each subscriber moves along the log: at least once, in order, each with its own retries and dead letters.

A cursor moves only when its event was delivered, or buried. Who reads for a subscriber holds its cursor by a lease, so
that there is one reader however many processes there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet

from notifications.models import Cursor, DeadLetter, Event
from notifications.sequence import events_after, number_events
from notifications.subscribers import owner_of

LEASE = timedelta(seconds=30)
FIRST_PAUSE, LONGEST_PAUSE = timedelta(seconds=1), timedelta(minutes=1)
FURTHEST = timedelta(hours=1)
"""A retry further away than this was set before the clock went back: it is due."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One process that reads for one subscriber."""

    subscriber: str
    holder: str


def open_cursor(subscriber: str, now: datetime) -> Cursor:
    """The subscriber's cursor; a new one begins at the end of the log: nobody wants to be told of last year.

    Raises UnknownSubscriber for a name that nobody registered (notifications/subscribers.py): it would lag unseen.
    """
    owner_of(subscriber)
    cursor, _ = Cursor.objects.get_or_create(name=subscriber, defaults={"seq": number_events(), "moved_at": now})
    return cursor


def close_cursors(prefix: str, keep: Iterable[str]) -> int:
    """Forget the subscribers whose names begin so and that are no longer wanted: one that comes back is a new one.

    Returns how many there were.
    """
    return Cursor.objects.filter(name__startswith=prefix).exclude(pk__in=list(keep)).delete()[0]


def hold(reader: Reader, now: datetime) -> bool:
    """Take or renew the right to read for a subscriber. False while another process has it."""
    free = Q(holder=reader.holder) | Q(holder="") | Q(held_until__lt=now) | Q(held_until__gt=now + 2 * LEASE)
    mine = Cursor.objects.filter(free, pk=reader.subscriber)
    return mine.update(holder=reader.holder, held_until=now + LEASE) == 1


def let_go(reader: Reader) -> None:
    """Give the right back, so that the next process need not wait for the lease to end."""
    Cursor.objects.filter(pk=reader.subscriber, holder=reader.holder).update(holder="", held_until=None)


def due_events(reader: Reader, now: datetime, most: int = 100) -> list[Event]:
    """What is to be delivered now, in order; empty while the next one waits for its retry, or somebody else reads."""
    number_events()
    cursor = Cursor.objects.filter(pk=reader.subscriber, holder=reader.holder).first()
    if cursor is None or (cursor.next_at is not None and now < cursor.next_at <= now + FURTHEST):
        return []
    return list(events_after(cursor.seq, most))


def delivered(reader: Reader, event: Event, now: datetime) -> bool:
    """Move on. False when somebody else moved the cursor meanwhile: the event may reach its receiver twice then."""
    return _move(reader, event, now)


def failed(reader: Reader, event: Event, error: str, now: datetime, wait: timedelta | None = None) -> int:
    """The attempt failed, and is repeated after ``wait`` (what the receiver asked for), else after a pause that doubles
    from one second to one minute. Returns how often it has failed."""
    cursor = Cursor.objects.get(pk=reader.subscriber)
    attempts = cursor.attempts + 1
    pause = wait if wait is not None else min(FIRST_PAUSE * 2 ** min(cursor.attempts, 6), LONGEST_PAUSE)
    _mine(reader, event).update(
        attempts=attempts, failing_since=cursor.failing_since or now, next_at=now + pause, error=error[:300]
    )
    return attempts


@transaction.atomic
def bury(reader: Reader, event: Event, error: str, now: datetime) -> bool:
    """Give an event up that will never be taken, keep it as a dead letter, and move on."""
    attempts = Cursor.objects.get(pk=reader.subscriber).attempts + 1
    if not _move(reader, event, now):
        return False
    DeadLetter.objects.get_or_create(
        subscriber=reader.subscriber,
        event=event,
        defaults={"error": error[:300], "attempts": attempts, "buried_at": now},
    )
    return True


def _move(reader: Reader, event: Event, now: datetime) -> bool:
    return (
        _mine(reader, event).update(seq=event.seq, attempts=0, failing_since=None, next_at=None, error="", moved_at=now)
        == 1
    )


def _mine(reader: Reader, event: Event) -> QuerySet[Cursor]:
    """Held by this reader, and not beyond the event."""
    return Cursor.objects.filter(pk=reader.subscriber, holder=reader.holder, seq__lt=event.seq)
