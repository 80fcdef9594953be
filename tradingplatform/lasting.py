"""What is told only when it lasts: the reconciler's alarms. Each is a condition that begins and ends once."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction

from execution.chores import Chore
from market.clock import Now
from notifications import kinds
from notifications.conditions import begin, end, lasting
from notifications.models import Severity
from tradingplatform.event_kinds import NOT_RECONCILED, STUCK, UNPROTECTED

_OVER = {
    UNPROTECTED: "Position {} has a stop at the exchange, or is closed",
    STUCK: "It is known what became of position {}",
    NOT_RECONCILED: "Account {} agrees with the exchange again",
}


class Lasting:
    """One kind of trouble by subject. ``patience_s``: wall time that it may last untold."""

    def __init__(self, kind: kinds.Lasting, patience_s: float, text: Callable[[Any], str]) -> None:
        self._kind, self._patience_s, self._text = kind, patience_s, text
        self._since_s: dict[object, float] = {}

    def look(self, found: Mapping[Any, object], now: Now) -> None:
        """``found`` is what is so now, by subject. Tells what has lasted too long, and what is over."""
        now_s = time.monotonic()
        self._since_s = {subject: self._since_s.get(subject, now_s) for subject in found}
        at = {"market_at": now.market_at, "wall_at": now.wall_at}
        with transaction.atomic():
            for subject, what in found.items():
                if now_s - self._since_s[subject] > self._patience_s:
                    begin(self._kind, str(subject), self._text(what), severity=Severity.CRITICAL, **at)
            still = {str(subject) for subject in found}
            for subject in lasting(self._kind).values_list("subject", flat=True):
                if subject not in still:
                    end(self._kind, subject, _OVER[self._kind].format(subject), **at)


def unprotected_text(chore: Chore) -> str:
    """A live position has had no stop at the exchange for longer than it takes to place one."""
    return (
        f"{chore.bot}: what it holds of {chore.symbol} has no stop at the exchange; "
        "the platform watches its price instead"
    )


def stuck_text(chore: Chore) -> str:
    """Something about a position goes on for longer than any answer takes."""
    return (
        f"{chore.bot}: its position {chore.position_id} in {chore.symbol} does not come to rest: "
        "what became of an order is not known, or cannot be booked; see the log of the reconciler"
    )
