"""Closed candles, asked for by one process and read by all."""

from collections.abc import Callable
from dataclasses import dataclass

import redis
import structlog

from market.candle_store import CandleStore
from market.clock import Clock
from market.exchange import ExchangeError, MarketData, Transient
from market.refresh import Update, up_to_date
from market.single_flight import SingleFlight
from market.window import Source, Wanted, Window

log = structlog.get_logger()

_UNPUBLISHED_NOTE_MS = 300
_FAILURE_NOTE_MS = 1000
_LONGEST_PAUSE_S = 300.0


@dataclass(frozen=True, slots=True)
class SharedCandles:
    """The store, the lease and the exchange in one sequence. Raises redis.RedisError before anything was asked."""

    exchange: MarketData
    clock: Clock
    store: CandleStore
    flight: SingleFlight

    def window(self, wanted: Wanted, deadline_s: float) -> Window:
        """The wanted candles; ``deadline_s`` is on ``time.monotonic()``."""
        window = self.flight.run(
            f"{self.store.key(wanted)}:lease",
            find=lambda: self._settled(wanted),
            work=lambda renew: self._refreshed(wanted, renew, deadline_s),
            deadline_s=deadline_s,
        )
        if window is not None:
            return window
        known, _ = self.store.read(wanted)
        return wanted.window(known, Source.LAST_KNOWN, "another process has been asking for it for too long")

    def _settled(self, wanted: Wanted) -> Window | None:
        """What can be said without asking the exchange; None when it has to be asked."""
        known, note = self.store.read(wanted)
        if wanted.settled_by(known):
            return wanted.window(known, Source.CACHE)
        return wanted.window(known, Source.LAST_KNOWN, note) if note else None

    def _refreshed(self, wanted: Wanted, renew: Callable[[], None], deadline_s: float) -> Window:
        known, _ = self.store.read(wanted)
        update = up_to_date(self.exchange, self.clock, wanted, known, deadline_s, renew)
        window = update.window(wanted)
        try:
            self._remember(wanted, update, window)
        except redis.RedisError as error:  # costs the others a request, not this call its candles
            log.warning("candles not shared", symbol=wanted.symbol, timeframe=wanted.timeframe, error=str(error))
        return window

    def _remember(self, wanted: Wanted, update: Update, window: Window) -> None:
        if len(update.candles):
            self.store.keep(wanted, update.candles)
        if wanted.settled_by(update.candles):
            return
        self.store.note(wanted, window.reason, _FAILURE_NOTE_MS if update.error else _UNPUBLISHED_NOTE_MS)
        if update.error:
            heed(self.store, update.error)
        log.warning(
            "candles not fresh",
            symbol=wanted.symbol,
            timeframe=wanted.timeframe,
            slot=wanted.slot,
            behind=window.behind,
            dropped=window.dropped,
            reason=window.reason,
        )


def heed(store: CandleStore, error: ExchangeError) -> None:
    """When the exchange told one process to stay away, the whole fleet does: its limits are per address."""
    if isinstance(error, Transient) and error.retry_after_s > 0:
        wait_s = min(error.retry_after_s, _LONGEST_PAUSE_S)
        store.pause(f"told to wait {wait_s:g} s: {error}", max(1, round(wait_s * 1000)))
        log.warning("exchange told us to wait", seconds=wait_s)
