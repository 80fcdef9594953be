"""Anything that acts is confirmed: by the one who asked, once, within a minute.

Kept in memory on purpose: what was asked before a restart was asked of another state of things.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from notifications.telegram.values import Note

LASTS = timedelta(seconds=60)
MOST = 200


class NotConfirmed(ValueError):
    """The text says why."""


@dataclass(frozen=True, slots=True)
class Pending:
    """What happens once it is confirmed."""

    user_id: int
    until: datetime
    asked_at: datetime
    act: Callable[[], Note]


@dataclass
class Confirmations:
    """Everything that waits for somebody's yes."""

    _pending: dict[str, Pending] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def ask(self, user_id: int, act: Callable[[], Note], now: datetime) -> str:
        """A nonce that ``take`` exchanges for the act. The oldest question gives way where there are too many."""
        nonce = secrets.token_urlsafe(12)
        with self._lock:
            for old in [key for key, pending in self._pending.items() if not _lasts(pending, now)]:
                del self._pending[old]
            if len(self._pending) >= MOST:
                del self._pending[next(iter(self._pending))]
            self._pending[nonce] = Pending(user_id, now + LASTS, now, act)
        return nonce

    def take(self, nonce: str, user_id: int, now: datetime) -> Pending:
        """Used up by this. Raises NotConfirmed; somebody else's question stays."""
        with self._lock:
            pending = self._pending.get(nonce)
            if pending is None:
                raise NotConfirmed("This question has been answered or is too old: send the command again.")
            if pending.user_id != user_id:
                raise NotConfirmed("Somebody else was asked this.")
            del self._pending[nonce]
        if not _lasts(pending, now):
            raise NotConfirmed("More than a minute has passed: send the command again.")
        return pending


def _lasts(pending: Pending, now: datetime) -> bool:
    return pending.asked_at <= now <= pending.until  # a clock set back makes nothing last longer
