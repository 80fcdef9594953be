"""The one register of who reads the log of events. No Django: whoever only lists them needs no database.

Each says what it is where it lives, in the file that every process imports (a package's ``__init__``, or what ``ready``
of an app imports), so that the web process can name also those that run elsewhere. A cursor is opened only for one
that is registered: see notifications/cursors.py.
"""

from dataclasses import dataclass
from enum import StrEnum


class Way(StrEnum):
    """How a subscriber reads."""

    DURABLE = "durable"  # a cursor, retries and dead letters: at least once, in order, also after a crash
    FOLLOWER = "follower"  # reads by number while somebody looks; whoever was away asks again from what it had last
    INBOX = "inbox"  # has a cursor, but of another log than ours: its number says nothing of events


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One of them, or a family: ``telegram`` stands for the cursors ``telegram:1``, ``telegram:2`` and so on.

    ``kinds``: which kinds of events it wants; empty means all that its own settings choose.
    """

    name: str
    does: str
    way: Way
    kinds: frozenset[str] = frozenset()

    def owns(self, cursor: str) -> bool:
        """Whether a cursor of that name is this one's."""
        return cursor == self.name or cursor.startswith(f"{self.name}:")


class UnknownSubscriber(LookupError):
    """A cursor whose name belongs to nobody that is registered."""


_REGISTERED: dict[str, Subscriber] = {}


def register(subscriber: Subscriber) -> Subscriber:
    """Once for each name. Raises ValueError when the name stands for something else already."""
    known = _REGISTERED.setdefault(subscriber.name, subscriber)
    if known != subscriber:
        raise ValueError(f"the subscriber {subscriber.name!r} is registered twice, and not alike")
    return subscriber


def registered() -> tuple[Subscriber, ...]:
    """Every one of them, by name."""
    return tuple(_REGISTERED[name] for name in sorted(_REGISTERED))


def owner_of(cursor: str) -> Subscriber:
    """Whose cursor it is. Raises UnknownSubscriber."""
    for subscriber in _REGISTERED.values():
        if subscriber.owns(cursor):
            return subscriber
    raise UnknownSubscriber(
        f"the cursor {cursor!r} belongs to no subscriber: register {cursor.partition(':')[0]!r} in the package it is of"
    )


def inboxes() -> tuple[str, ...]:
    """The names of the families whose cursors are no places in the log of events."""
    return tuple(subscriber.name for subscriber in registered() if subscriber.way is Way.INBOX)
