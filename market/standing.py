"""How the fleet stands with the exchange: told to stay away, banned, or facing one that does not answer.

Kept in Redis, so that what one process is told counts for all of them: limits and bans are per address. Redis errors
are raised; ``access.py`` knows what to do without Redis.
"""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import redis
import structlog

from market.exchange import Transient
from market.rate_limits import Priority

log = structlog.get_logger()

SIGNS_OF_AN_OUTAGE = 3
"""So many different things that failed, and nothing that was answered since: it is the exchange, not a symbol."""

_FAILING_AGE_S = 120
_LONGEST_STAY_AWAY_S = 4 * 86_400.0  # Binance bans for three days at most
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 15.0


class Trouble(StrEnum):
    """What keeps the fleet from asking."""

    LIMITED = "limited"  # HTTP 429: too many requests, stay away until Retry-After
    BANNED = "banned"  # HTTP 418: it went on too long, the address is banned for a time
    DOWN = "down"  # nothing is answered: only what is urgent is tried, the rest after a pause


@dataclass(frozen=True, slots=True)
class Notice:
    """Trouble that has just begun. ``lasting_s``: wall seconds it was said to last, 0 where nobody can say."""

    trouble: Trouble
    text: str
    lasting_s: float = 0.0


OnNotice = Callable[[Notice], None]


class Standing:
    """Shared by all processes under ``namespace``. ``on_notice`` is called by the one that met the trouble first."""

    def __init__(self, client: redis.Redis, namespace: str, on_notice: OnNotice) -> None:
        self._redis = client
        self._barred, self._down = f"{namespace}:barred", f"{namespace}:down"
        self._failing, self._strikes = f"{namespace}:failing", f"{namespace}:strikes"
        self._on_notice = on_notice
        self._unanswered = False

    def why_not(self, priority: Priority) -> tuple[str, float] | None:
        """Why a request must not be made now, and for how many wall seconds; None when it may be made.

        An exchange that does not answer is still asked for what is urgent: it costs nothing but a timeout.
        """
        with self._redis.pipeline(transaction=False) as ask:
            ask.mget(self._barred, self._down)
            ask.pttl(self._barred)
            ask.pttl(self._down)
            ask.exists(self._failing)
            (barred, down), barred_ms, down_ms, failing = ask.execute()
        self._unanswered = bool(failing)
        if barred is not None:
            return barred.decode().partition(" ")[2], max(barred_ms, 1) / 1000
        if down is not None and priority is not Priority.EXITS:
            return down.decode(), max(down_ms, 1) / 1000
        return None

    def told_to_wait(self, error: Transient) -> None:
        """The exchange named a time to stay away: nobody asks for anything before it is over."""
        wait_s = min(error.retry_after_s, _LONGEST_STAY_AWAY_S)
        trouble = Trouble.BANNED if error.banned else Trouble.LIMITED
        text = f"told to wait {wait_s:g} s: {error}"
        known_ms = self._redis.pttl(self._barred)
        if known_ms < wait_s * 1000:
            self._redis.set(self._barred, f"{trouble} {text}", px=max(1, round(wait_s * 1000)))
        if known_ms <= 0:
            self._tell(Notice(trouble, text, wait_s))

    def failed(self, subject: str, reason: str) -> None:
        """Nothing came back for ``subject``. Many different ones in a row: everybody pauses, ever longer."""
        with self._redis.pipeline() as note:
            note.sadd(self._failing, subject)
            note.expire(self._failing, _FAILING_AGE_S)
            note.scard(self._failing)
            many = note.execute()[2]
        if many < SIGNS_OF_AN_OUTAGE:
            return
        strikes = self._redis.incr(self._strikes)
        self._redis.expire(self._strikes, _FAILING_AGE_S)
        pause_s = random.uniform(0.5, 1) * min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(strikes, 10))
        self._redis.set(self._down, f"the exchange does not answer: {reason}", px=round(pause_s * 1000), nx=True)
        if strikes == 1:
            self._tell(Notice(Trouble.DOWN, f"the exchange does not answer: {reason}"))

    def answered(self) -> None:
        """Something came back: whatever failed before, it is not the whole exchange."""
        if self._unanswered:
            self._unanswered = False
            self._redis.delete(self._failing, self._strikes, self._down)

    def troubles(self) -> dict[Trouble, str]:
        """What keeps the fleet from asking now, with the reason."""
        barred, down, strikes = cast(list[bytes | None], self._redis.mget(self._barred, self._down, self._strikes))
        found = {}
        if barred is not None:
            kind, _, text = barred.decode().partition(" ")
            found[Trouble(kind)] = text
        if strikes is not None:
            found[Trouble.DOWN] = (down or b"the exchange does not answer").decode()
        return found

    def _tell(self, notice: Notice) -> None:
        log.warning("exchange_trouble", trouble=notice.trouble, reason=notice.text, seconds=notice.lasting_s)
        self._on_notice(notice)


def local_pause_s(error: Transient) -> float:
    """Until when this process stays away on its own account (time.monotonic), whatever becomes of Redis."""
    return time.monotonic() + min(error.retry_after_s, _LONGEST_STAY_AWAY_S)
