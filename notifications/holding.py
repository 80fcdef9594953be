"""Which process reads for a subscriber, told apart from one that died with it: for Telegram and for webhooks."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from notifications.cursors import Reader, hold, let_go
from notifications.models import Cursor

RENEW = timedelta(seconds=5)
"""A lease is renewed when it is older than this: what remains of it is longer than any one attempt may take."""


@dataclass(frozen=True, slots=True)
class Process:
    """``name``: this process's. ``is_gone``: whether the process of a name is known to be dead."""

    name: str
    is_gone: Callable[[str], bool]


class Holding:
    """The right of this process to read for one subscriber, whose cursor exists."""

    def __init__(self, subscriber: str, process: Process) -> None:
        self.reader = Reader(subscriber, process.name)
        self._process = process
        self._renewed_at: datetime | None = None

    @property
    def held(self) -> bool:
        """As far as this process knows."""
        return self._renewed_at is not None

    def take(self, now: datetime) -> Cursor | None:
        """Take or renew it: at once from a process that is known to be dead, from any other when its lease has ended.

        The cursor as it was before, None while another process has it. Raises Cursor.DoesNotExist.
        """
        cursor = Cursor.objects.get(pk=self.reader.subscriber)
        if cursor.holder == self.reader.holder and self._is_fresh(now):
            return cursor
        if cursor.holder not in ("", self.reader.holder) and self._process.is_gone(cursor.holder):
            let_go(Reader(self.reader.subscriber, cursor.holder))
        self._renewed_at = now if hold(self.reader, now) else None
        return cursor if self.held else None

    def let_go(self) -> None:
        """Give it back, so that the next process need not wait."""
        let_go(self.reader)
        self._renewed_at = None

    def _is_fresh(self, now: datetime) -> bool:
        return self._renewed_at is not None and timedelta(0) <= now - self._renewed_at < RENEW
