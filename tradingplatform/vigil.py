"""The guard's look at the dead man's switch: a beat or a broker that is dead silences no alarm."""

import time
from collections.abc import Callable

from django.db import transaction

from market.clock import Now
from risk.clock_guard import why_jumped
from risk.deadman import suspect_clock
from tradingplatform.heartbeats import GUARD, beat
from tradingplatform.housekeeping import watch_dead_mans_switch

EVERY_S = 10.0
"""Wall time between two looks at the rows; the clock is looked at each time."""


def steady_s() -> float:
    """A clock that nobody sets. Where there is one it goes on while the machine sleeps: that is no jump."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class Vigil:
    """Lives as long as its process: it compares the wall clock with ``steady`` between two looks."""

    def __init__(self, steady: Callable[[], float] = steady_s) -> None:
        self._steady = steady
        self._before: tuple[int, float] | None = None
        self._due_s = 0.0

    def look(self, now: Now) -> None:
        """Tell of a clock that jumped; now and then watch the switch too, and leave a heartbeat."""
        here_s = self._steady()
        if jumped := self._jumped(now, here_s):
            with transaction.atomic():
                suspect_clock(jumped, now)
        self._before = (now.wall_ms, here_s)  # after it was told: what fails is seen again
        if here_s >= self._due_s:
            watch_dead_mans_switch(now)
            beat(GUARD, now)
            self._due_s = here_s + EVERY_S

    def _jumped(self, now: Now, here_s: float) -> str:
        if self._before is None:
            return ""
        wall_ms, steady = self._before
        return why_jumped((now.wall_ms - wall_ms) / 1000, here_s - steady)
