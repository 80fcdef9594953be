"""Asking the exchange for the candles that are missing, and no others."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from market.candles import Candles
from market.clock import Clock
from market.exchange import ExchangeError, MarketData
from market.hygiene import cleaned
from market.retry import retried
from market.window import KEPT, Source, Wanted, Window

_UNPUBLISHED_WAITS_S = (0.08, 0.25)
_MOST_PAGES = 10  # for exchanges that give fewer candles at once than they are asked for
_CLOCK_GRACE_MS = 2000  # an exchange's clock may be this far behind ours (wall milliseconds)


@dataclass(frozen=True, slots=True)
class Update:
    """Closed candles after asking, and the error that ended it, if one did.

    ``dropped``: how many could not be real. ``proven``: the exchange showed a candle after the wanted ones, so they
    have closed by its clock too.
    """

    candles: Candles
    dropped: int = 0
    proven: bool = False
    error: ExchangeError | None = None

    def window(self, wanted: Wanted) -> Window:
        """The answer that this makes."""
        if self.error is not None and not wanted.settled_by(self.candles):
            return wanted.window(self.candles, Source.LAST_KNOWN, str(self.error), self.dropped)
        return wanted.window(self.candles, Source.EXCHANGE, dropped=self.dropped)


def up_to_date(
    exchange: MarketData,
    clock: Clock,
    wanted: Wanted,
    known: Candles,
    deadline_s: float,
    before_each: Callable[[], None] = lambda: None,
) -> Update:
    """``known`` continued up to the wanted candle, or as far as the exchange has published after three questions.

    ``before_each`` is called before every request, ``deadline_s`` is on ``time.monotonic()``. Raises nothing of the
    exchange's: what could be had before an error is in the answer, with the error.
    """

    def ask(since_ms: int, limit: int) -> Candles:
        before_each()
        return exchange.fetch_candles(wanted.symbol, wanted.timeframe, since_ms, limit)

    update = Update(wanted.worth_keeping(known))
    for wait_s in (*_UNPUBLISHED_WAITS_S, None):
        update = _continued(ask, wanted, update, deadline_s)
        late_ms = clock.now().market_ms - wanted.closed_ms
        complete = wanted.settled_by(update.candles) and (update.proven or late_ms > _CLOCK_GRACE_MS * clock.speed)
        if complete or update.error or wait_s is None or time.monotonic() + wait_s >= deadline_s:
            break
        time.sleep(wait_s * random.uniform(0.7, 1.3))
    return update if len(update.candles) else replace(update, candles=known)


def _continued(ask: Callable[[int, int], Candles], wanted: Wanted, update: Update, deadline_s: float) -> Update:
    """One question; several when the exchange hands out a long window in pages."""
    for _ in range(_MOST_PAGES):
        before_ms = update.candles.last_opened_ms
        try:
            answer = retried(partial(ask, *wanted.missing_after(update.candles)), deadline_s)
        except ExchangeError as error:
            return replace(update, error=error)
        clean, dropped = cleaned(answer, wanted.interval_ms // 1000)
        last_ms = clean.last_opened_ms
        update = Update(
            candles=update.candles.merged(wanted.closed(clean), KEPT),
            dropped=update.dropped + dropped,
            proven=last_ms is not None and last_ms >= wanted.closed_ms,
        )
        reached_ms = update.candles.last_opened_ms
        if reached_ms is None or reached_ms == before_ms or reached_ms >= wanted.expected_ms - wanted.interval_ms:
            break
    return update
