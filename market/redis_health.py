"""Is Redis worth asking? Its loss and its return are logged once each, not once per call."""

import time

import redis
import structlog

log = structlog.get_logger()

_PAUSE_S = 1.0
_PAUSE_AFTER_TIMEOUT_S = 10.0


class RedisHealth:
    """One for each process. After a failure Redis is left alone for a second of wall time; after a timeout for ten,
    because a hung one costs its timeout at every call. One that was never there is no news: a command may be typed
    while nothing runs."""

    def __init__(self) -> None:
        self._lost = self._worked = False
        self._again_at_s = 0.0

    def usable(self) -> bool:
        return not self._lost or time.monotonic() >= self._again_at_s

    def lost(self, error: Exception) -> None:
        if not self._lost:
            say = log.warning if self._worked else log.debug
            say("redis_lost", error=f"{type(error).__name__}: {error}")
        self._lost = True
        hung = isinstance(error, redis.TimeoutError)
        self._again_at_s = time.monotonic() + (_PAUSE_AFTER_TIMEOUT_S if hung else _PAUSE_S)

    def works(self) -> None:
        if self._lost:
            log.info("redis_is_back")
        self._lost, self._worked = False, True
