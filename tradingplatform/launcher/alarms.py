"""The CRITICAL events of the platform's log as lines for the terminal, each told once, also by the next narrator."""

import queue
from datetime import UTC, datetime
from pathlib import Path

from notifications.subscribers import Subscriber, Way, register

MOST_AT_ONCE = 20

TERMINAL = register(
    Subscriber(
        "terminal", "what is critical, as lines where the platform was started; its place is a file", Way.FOLLOWER
    )
)


class Alarms:
    """``look`` runs in a thread of its own; ``news`` and ``told`` belong to the one who tells."""

    def __init__(self, var: Path, since: float) -> None:
        self._cursor_file = var / "run" / "alarms_told"
        self._since = since
        self._cursor: int | None = None
        self._news: queue.SimpleQueue[tuple[int, str]] = queue.SimpleQueue()

    def look(self) -> None:
        """Take in what is new. Raises a database error; the next look takes it up again."""
        from django.db.models import Max

        from notifications.models import Event, Severity

        newest = Event.objects.aggregate(newest=Max("pk"))["newest"] or 0
        cursor = self._begin() if self._cursor is None else self._cursor
        cursor = min(cursor, newest)  # another database than the one told about
        critical = Event.objects.filter(pk__gt=cursor, pk__lte=newest, severity=Severity.CRITICAL).order_by("pk")
        found = list(critical[:MOST_AT_ONCE])
        for event in found:
            self._news.put((event.pk, f"{event.wall_at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC CRITICAL {event.text}"))
        self._cursor = found[-1].pk if len(found) == MOST_AT_ONCE else newest

    def news(self) -> list[tuple[int, str]]:
        """What was found since the last time: number and line, the oldest first."""
        found = []
        while not self._news.empty():
            found.append(self._news.get())
        return found

    def told(self, number: int) -> None:
        """Nobody tells it again."""
        scratch = self._cursor_file.with_suffix(".tmp")
        scratch.write_text(str(number))
        scratch.replace(self._cursor_file)

    def _begin(self) -> int:
        """After the last that was told; where none was ever told, with this run."""
        from django.db.models import Max

        from notifications.models import Event

        try:
            return int(self._cursor_file.read_text())
        except (OSError, ValueError):
            before = Event.objects.filter(wall_at__lt=datetime.fromtimestamp(self._since, tz=UTC))
            return before.aggregate(newest=Max("pk"))["newest"] or 0
