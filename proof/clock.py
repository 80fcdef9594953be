"""Virtual time: it stands still until somebody moves it, and nothing waits."""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable
from itertools import count
from types import TracebackType

import time_machine


class VirtualClock:
    """All clocks of this process while it is entered: wall time, ``monotonic`` and ``sleep``.

    ``time.sleep`` moves the clock on instead of waiting. What was planned with ``at`` happens on the way, at its own
    moment: an exchange that accepts an order four seconds late does so while its client still waits for an answer.
    """

    def __init__(self, start_ms: int) -> None:
        self.start_ms = start_ms
        self._travel = time_machine.travel(start_ms / 1000, tick=False)
        self._planned: list[tuple[int, int, Callable[[], object]]] = []
        self._numbers = count()
        self._real = (time.monotonic, time.sleep)

    def __enter__(self) -> VirtualClock:
        self._traveller = self._travel.start()
        time.monotonic, time.sleep = self._monotonic, self.sleep  # type: ignore[assignment]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        time.monotonic, time.sleep = self._real
        self._travel.stop()

    @property
    def now_ms(self) -> int:
        """UTC milliseconds."""
        return self._traveller.time_ns() // 1_000_000

    def advance(self, ms: int) -> None:
        """Let so much time pass, and happen what was planned for it."""
        until_ms = self.now_ms + ms
        while self._planned and self._planned[0][0] <= until_ms:
            at_ms, _, act = heapq.heappop(self._planned)
            self._move_to(at_ms)
            act()
        self._move_to(until_ms)

    def at(self, ms: int, act: Callable[[], object]) -> None:
        """Plan something for a moment."""
        heapq.heappush(self._planned, (ms, next(self._numbers), act))

    def sleep(self, seconds: float) -> None:
        """What ``time.sleep`` is meanwhile."""
        self.advance(max(1, round(seconds * 1000)))

    def _move_to(self, ms: int) -> None:
        left_ms = ms - self.now_ms
        if left_ms > 0:
            self._traveller.shift(left_ms / 1000)

    def _monotonic(self) -> float:
        return (self.now_ms - self.start_ms) / 1000 + 1_000.0
