"""Is Redis worth asking? Its loss and its return are logged once each, not once per call."""

import time

import structlog

log = structlog.get_logger()

_PAUSE_S = 1.0


class RedisHealth:
    """After a failure Redis is left alone for a second of wall time: a hung one costs its timeout at every call."""

    def __init__(self) -> None:
        self._lost = False
        self._again_at_s = 0.0

    def usable(self) -> bool:
        return not self._lost or time.monotonic() >= self._again_at_s

    def lost(self, error: Exception) -> None:
        if not self._lost:
            log.warning("redis lost: market data is no longer shared", error=f"{type(error).__name__}: {error}")
        self._lost = True
        self._again_at_s = time.monotonic() + _PAUSE_S

    def works(self) -> None:
        if self._lost:
            log.info("redis is back: market data is shared again")
        self._lost = False
