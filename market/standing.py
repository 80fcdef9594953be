"""How the fleet stands with the exchange: told to stay away, banned, or facing one that does not answer.

Kept in Redis, so that what one process is told counts for all of them: limits and bans are per address. Redis errors
are raised; ``access.py`` knows what to do without Redis.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

import redis
import structlog

from market.exchange import Transient
from market.rate_limits import Priority, RateLimit, limits_of_text, text_of_limits

log = structlog.get_logger()

SIGNS_OF_AN_OUTAGE = 3
"""So many different symbols (or other things) of one kind failed, and none of that kind was answered since."""

LONGEST_STAY_AWAY_S = 4 * 86_400.0  # Binance bans for three days at most
_FAILING_AGE_S = 120
_TRYING_MS = 6_000  # a little longer than one read may take
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 15.0

# Only ever longer: two processes that are told different times at once must not shorten each other's. Returns what was
# left before (below 0: nothing).
_BAR = """
local left = redis.call('pttl', KEYS[1])
if left < tonumber(ARGV[2]) then redis.call('set', KEYS[1], ARGV[1], 'px', ARGV[2]) end
return left
"""


class Trouble(StrEnum):
    """What keeps the fleet from asking."""

    LIMITED = "limited"  # HTTP 429: too many requests, stay away until Retry-After
    BANNED = "banned"  # HTTP 418: it went on too long, the address is banned for a time
    DOWN = "down"  # nothing of one kind is answered: that kind is asked for after a pause only


@dataclass(frozen=True, slots=True)
class Notice:
    """Trouble that has just begun. ``lasting_s``: wall seconds it was said to last, 0 where nobody can say."""

    trouble: Trouble
    text: str
    lasting_s: float = 0.0


OnNotice = Callable[[Notice], None]


@dataclass(frozen=True, slots=True)
class Bar:
    """Why a request must not be made, and for how many wall seconds. ``told``: the exchange itself said so."""

    reason: str
    lasting_s: float
    told: bool


class Standing:
    """Shared by all processes under ``namespace``. ``on_notice`` is called by the one that met the trouble first."""

    def __init__(self, client: redis.Redis, namespace: str, on_notice: OnNotice) -> None:
        self._redis = client
        self._namespace = namespace
        self._on_notice = on_notice
        self._bar = client.register_script(_BAR)
        self.offset_ms = 0
        self.limits: tuple[RateLimit, ...] = ()

    def why_not(self, priority: Priority) -> Bar | None:
        """Why a request must not be made now; None when it may. ``offset_ms`` and ``limits`` are as all know them then.

        An exchange that does not answer is still asked for what is urgent: it costs nothing but a timeout. For the rest
        one process tries when the pause is over, and the others wait for what comes of it.
        """
        banned, limited, down = self._key(Trouble.BANNED), self._key(Trouble.LIMITED), self._key("down", priority)
        with self._redis.pipeline(transaction=False) as ask:
            ask.mget(banned, limited, down, *(self._key(name) for name in ("offset", "limits", f"strikes:{priority}")))
            for key in (banned, limited, down):
                ask.pttl(key)
            (*reasons, offset, limits, strikes), *left_ms = ask.execute()
        self.offset_ms, self.limits = int(offset or 0), limits_of_text(limits or b"")
        for reason, ms, told in zip(reasons, left_ms, (True, True, False), strict=True):
            if reason is not None and (told or priority is not Priority.EXITS):
                return Bar(reason.decode(), max(ms, 1) / 1000, told)
        if strikes is not None and priority is not Priority.EXITS and not self._may_try(priority):
            return Bar("another process is trying whether the exchange answers again", 1.0, told=False)
        return None

    def _may_try(self, priority: Priority) -> bool:
        return bool(self._redis.set(self._key("trying", priority), 1, px=_TRYING_MS, nx=True))

    def told_to_wait(self, error: Transient) -> None:
        """The exchange named a time to stay away: nobody asks for anything before it is over."""
        wait_s = min(error.retry_after_s, LONGEST_STAY_AWAY_S)
        trouble = Trouble.BANNED if error.banned else Trouble.LIMITED
        text = f"told to wait {wait_s:g} s: {error}"
        left_ms = cast(int, self._bar(keys=[self._key(trouble)], args=[text, max(1, round(wait_s * 1000))]))
        if left_ms <= 0:
            self._tell(Notice(trouble, text, wait_s))

    def failed(self, priority: Priority, subject: str, reason: str) -> None:
        """Nothing came back for ``subject``. Many different ones of a kind in a row: that kind pauses, ever longer."""
        failing, strikes_key = self._key("failing", priority), self._key("strikes", priority)
        with self._redis.pipeline() as note:
            note.sadd(failing, subject)
            note.expire(failing, _FAILING_AGE_S)
            note.scard(failing)
            note.get(strikes_key)
            *_, many, known = note.execute()
        if many < SIGNS_OF_AN_OUTAGE:
            return
        pause_s = random.uniform(0.5, 1) * min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2 ** min(int(known or 0), 10))
        self._redis.delete(self._key("trying", priority))
        text = f"the exchange answers nothing about {priority}: {reason}"
        if not self._redis.set(self._key("down", priority), text, px=round(pause_s * 1000), nx=True):
            return  # another process has just said so
        strikes = self._redis.incr(strikes_key)
        self._redis.expire(strikes_key, _FAILING_AGE_S)
        if strikes == 1:
            self._tell(Notice(Trouble.DOWN, text))

    def answered(self, priority: Priority) -> None:
        """Something of this kind came back: whatever failed before, it is not all of it."""
        self._redis.delete(*(self._key(name, priority) for name in ("failing", "strikes", "down", "trying")))

    def keep_offset(self, ahead_ms: int) -> None:
        """How far the exchange's clock is ahead of ours: its windows begin by its own, for all processes alike."""
        self._redis.set(self._key("offset"), ahead_ms, ex=86_400)

    def keep_limits(self, limits: Iterable[RateLimit]) -> bool:
        """What the exchange allows: a process that has not heard it from the exchange yet knows it from here."""
        return bool(self._redis.set(self._key("limits"), text_of_limits(limits), ex=86_400))

    def troubles(self) -> dict[Trouble, str]:
        """What keeps the fleet from asking now, with the reason."""
        keys = [self._key(Trouble.LIMITED), self._key(Trouble.BANNED)]
        keys += [self._key(name, priority) for priority in Priority for name in ("strikes", "down")]
        limited, banned, *of_each = cast(list[bytes | None], self._redis.mget(keys))
        found = {Trouble.LIMITED: limited, Trouble.BANNED: banned}
        for priority, strikes, down in zip(Priority, of_each[::2], of_each[1::2], strict=True):
            if strikes is not None:
                found[Trouble.DOWN] = down or f"the exchange answers nothing about {priority}".encode()
        return {trouble: text.decode() for trouble, text in found.items() if text is not None}

    def _key(self, *parts: str) -> str:
        return ":".join([self._namespace, *parts])

    def _tell(self, notice: Notice) -> None:
        log.warning("exchange_trouble", trouble=notice.trouble, reason=notice.text, seconds=notice.lasting_s)
        self._on_notice(notice)
