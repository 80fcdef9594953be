"""Closed candles, asked for by one process and read by all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import redis
import structlog

from market.candle_store import CandleStore
from market.candles import Candles
from market.clock import Clock
from market.exchange import MarketData
from market.exchange_clock import ExchangeClock
from market.hygiene import Defect
from market.refresh import CLOCK_GRACE_MS, Update, up_to_date
from market.single_flight import SingleFlight
from market.window import KEPT, Source, Wanted, Window, in_words

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SharedCandles:
    """The store, the lease and the exchange in one sequence. Raises redis.RedisError before anything was asked."""

    exchange: MarketData
    clock: Clock
    store: CandleStore
    flight: SingleFlight
    time: ExchangeClock

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

    def known(self, wanted: Wanted) -> Window:
        """What is stored, without asking the exchange."""
        known, note = self.store.read(wanted)
        return wanted.window(known, Source.CACHE, note)

    def _settled(self, wanted: Wanted) -> Window | None:
        """What can be said without asking the exchange; None when it has to be asked."""
        known, note = self.store.read(wanted)
        if wanted.settled_by(known):
            return wanted.window(known, Source.CACHE)
        return wanted.window(known, Source.LAST_KNOWN, note) if note else None

    def _refreshed(self, wanted: Wanted, renew: Callable[[], None], deadline_s: float) -> Window:
        known, _ = self.store.read(wanted)
        after_page = partial(self._keep_page, wanted)
        # Behind us, the exchange's clock ends a candle later than ours does.
        grace_ms = CLOCK_GRACE_MS + max(0, -self.time.known_ahead_ms())
        update = up_to_date(self.exchange, self.clock, wanted, known, deadline_s, after_page, renew, grace_ms)
        window = update.window(wanted)
        try:
            self._remember(wanted, update, window)
        except redis.RedisError as error:  # costs the others a request, not this call its candles
            log.warning("candles_not_shared", symbol=wanted.symbol, timeframe=wanted.timeframe, error=str(error))
        return window

    def _keep_page(self, wanted: Wanted, candles: Candles) -> None:
        """A long window is kept page by page: whoever goes on after a death begins where it ended."""
        self.store.keep(wanted, candles)
        log.info("backfill", symbol=wanted.symbol, timeframe=wanted.timeframe, candles=len(candles), of=KEPT - 1)

    def _remember(self, wanted: Wanted, update: Update, window: Window) -> None:
        """Share what came. Trouble with a series is told when it begins and when it ends, not at every try."""
        if len(update.candles):
            self.store.keep(wanted, update.candles)
        if update.defects and self.store.has_changed(wanted, in_words(update.defects)):
            log.warning("candles_unsound", symbol=wanted.symbol, timeframe=wanted.timeframe, **_told(update.defects))
        settled = wanted.settled_by(update.candles)
        tries = self.store.clear(wanted) if settled else self.store.note(wanted, window.reason)
        if settled and tries:
            log.info("candles_fresh_again", symbol=wanted.symbol, timeframe=wanted.timeframe, after_tries=tries)
        elif not settled and tries == 1:
            log.warning(
                "candles_not_fresh",
                symbol=wanted.symbol,
                timeframe=wanted.timeframe,
                slot=wanted.slot,
                behind=window.behind,
                reason=window.reason,
            )


def _told(defects: Mapping[Defect, int]) -> dict[str, int]:
    return {defect.name.lower(): count for defect, count in defects.items()}
