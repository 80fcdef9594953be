"""Is Redis worth asking? Its loss and its return are logged once each, not once per call."""

import time

import structlog

log = structlog.get_logger()

_PAUSE_S = 1.0


class RedisHealth:
    """After a failure Redis is left alone for a second of wall time: a hung one costs its timeout at every call.

    ``what`` is shared through it.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._lost = False
        self._again_at_s = 0.0

    def usable(self) -> bool:
        return not self._lost or time.monotonic() >= self._again_at_s

    def lost(self, error: Exception) -> None:
        if not self._lost:
            log.warning("redis_lost", not_shared_now=self._what, error=f"{type(error).__name__}: {error}")
        self._lost = True
        self._again_at_s = time.monotonic() + _PAUSE_S

    def works(self) -> None:
        if self._lost:
            log.info("redis_is_back", shared_again=self._what)
        self._lost = False
