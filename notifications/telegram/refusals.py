"""What was refused is an event; a flood of it is a few."""

from collections import deque
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from django.db import transaction

from notifications.event_kinds import TelegramRefused
from notifications.events import publish
from notifications.models import Severity
from notifications.telegram.values import Incoming

AGAIN_AFTER = timedelta(minutes=10)
"""The same sender and reason are told again after this."""

MOST_AN_HOUR = 30
"""Of all senders: a thousand strangers must not fill the log."""

_REMEMBERED = 1_000


class Moment(Protocol):
    """One moment on both clocks."""

    @property
    def wall_at(self) -> datetime: ...

    @property
    def market_at(self) -> datetime: ...


@dataclass
class Refusals:
    """What this process has refused lately."""

    _told: dict[tuple[int, str], datetime] = field(default_factory=dict)
    _hour: deque[datetime] = field(default_factory=deque)
    _untold: int = 0

    def record(self, incoming: Incoming, why: str, now: Moment) -> bool:
        """Publish it, unless much the same was published a moment ago. Whether it was."""
        if not self._is_news((incoming.user_id or incoming.chat_id, why), now.wall_at):
            self._untold += 1
            return False
        untold, self._untold = self._untold, 0
        besides = f"; {untold} more were refused since the last one told" if untold else ""
        who = f"user {incoming.user_id}" + (f" ({incoming.user_name[:64]})" if incoming.user_name else "")
        with transaction.atomic():
            publish(
                TelegramRefused(
                    why, incoming.user_id, incoming.chat_id, incoming.chat_type[:16], incoming.kind, untold
                ),
                f"Telegram: refused {why}, {who}, chat {incoming.chat_id}{besides}",
                severity=Severity.WARNING,
                market_at=now.market_at,
                wall_at=now.wall_at,
            )
        return True

    def _is_news(self, what: tuple[int, str], at: datetime) -> bool:
        while self._hour and not timedelta(0) <= at - self._hour[0] < timedelta(hours=1):
            self._hour.popleft()
        last = self._told.get(what)
        if (last is not None and timedelta(0) <= at - last < AGAIN_AFTER) or len(self._hour) >= MOST_AN_HOUR:
            return False
        if len(self._told) >= _REMEMBERED:
            self._told.clear()
        self._told[what] = at
        self._hour.append(at)
        return True
