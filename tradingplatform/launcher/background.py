"""A question asked again and again in a thread of its own, so that a slow answer keeps nobody waiting."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Answer = TypeVar("Answer")


class Background(Generic[Answer]):
    """Asks every ``every_s`` seconds while it is wanted; keeps the last answer and the last error.

    ``rest``: how many times as long as the answer took is waited on top, so that an expensive question is asked less.
    """

    def __init__(self, ask: Callable[[], Answer], every_s: float, rest: float = 0) -> None:
        self._ask, self._every_s, self._rest = ask, every_s, rest
        self.wanted = False
        self.latest: Answer | None = None
        self.error: Exception | None = None
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            if self.wanted:
                asked_at = time.monotonic()
                try:
                    self.latest, self.error = self._ask(), None
                except Exception as error:
                    self.latest, self.error = None, error
                time.sleep(self._rest * (time.monotonic() - asked_at))
            time.sleep(self._every_s)
