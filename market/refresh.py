"""Asking the exchange for the candles that are missing, and no others."""

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial

from market.candles import Candles
from market.clock import Clock
from market.exchange import ExchangeError, MarketData
from market.hygiene import Defect, cleaned, without_bad_prints
from market.retry import retried
from market.window import KEPT, Source, Wanted, Window

_UNPUBLISHED_WAITS_S = (0.08, 0.25)
_MOST_PAGES = 10  # for exchanges that give fewer candles at once than they are asked for
CLOCK_GRACE_MS = 2000
"""An exchange's clock may be so far from ours that nobody has measured (wall milliseconds)."""


@dataclass(frozen=True, slots=True)
class Update:
    """Closed candles after asking, and the error that ended it, if one did.

    ``defects``: what was wrong with candles of the answers. ``proven``: the exchange showed a candle after the wanted
    ones, so they have closed by its clock too.
    """

    candles: Candles
    defects: Counter[Defect] = field(default_factory=Counter)
    proven: bool = False
    error: ExchangeError | None = None

    def window(self, wanted: Wanted) -> Window:
        """The answer that this makes."""
        if self.error is not None and not wanted.settled_by(self.candles):
            return wanted.window(self.candles, Source.LAST_KNOWN, str(self.error), self.defects)
        return wanted.window(self.candles, Source.EXCHANGE, defects=self.defects)


def up_to_date(
    exchange: MarketData,
    clock: Clock,
    wanted: Wanted,
    known: Candles,
    deadline_s: float,
    after_page: Callable[[Candles], None] = lambda candles: None,
    before_each: Callable[[], None] = lambda: None,
    grace_ms: int = CLOCK_GRACE_MS,
) -> Update:
    """``known`` continued up to the wanted candle, or as far as the exchange has published after three questions.

    ``grace_ms``: so long after a candle's end (wall milliseconds) it counts as closed though no later one is shown.
    ``before_each`` is called before every request, ``after_page`` with what is known after every one but the last of a
    long window; ``deadline_s`` is on ``time.monotonic()``. Raises nothing of the exchange's: what could be had before
    an error is in the answer, with the error.
    """

    def ask(since_ms: int, limit: int) -> Candles:
        before_each()
        return exchange.fetch_candles(wanted.symbol, wanted.timeframe, since_ms, limit)

    update = Update(wanted.worth_keeping(known))
    for wait_s in (*_UNPUBLISHED_WAITS_S, None):
        update = _continued(ask, after_page, clock, wanted, update, deadline_s)
        late_ms = clock.now().market_ms - wanted.closed_ms
        complete = wanted.settled_by(update.candles) and (update.proven or late_ms > grace_ms * clock.speed)
        if complete or update.error or wait_s is None or time.monotonic() + wait_s >= deadline_s:
            break
        time.sleep(wait_s * random.uniform(0.7, 1.3))
    update = update if complete else _without_the_unproven(update, wanted)
    return update if len(update.candles) else replace(update, candles=known)


def _without_the_unproven(update: Update, wanted: Wanted) -> Update:
    """The wanted candle may still be open on the exchange's clock: nobody may take it for closed, now or later."""
    return replace(update, candles=update.candles.closed_before(wanted.expected_ms, wanted.interval_ms // 1000))


def _continued(
    ask: Callable[[int, int], Candles],
    after_page: Callable[[Candles], None],
    clock: Clock,
    wanted: Wanted,
    update: Update,
    deadline_s: float,
) -> Update:
    """One question; several when the exchange hands out a long window in pages."""
    update = replace(update, defects=Counter())  # of this question: a candle may come with the next one again
    for page in range(_MOST_PAGES):
        if page:
            after_page(update.candles)
        before_ms = update.candles.last_opened_ms
        try:
            answer = retried(partial(ask, *wanted.missing_after(update.candles)), deadline_s)
        except ExchangeError as error:
            return replace(update, error=error)
        update = _joined(update, answer, wanted, newest_ms=_newest_possible_ms(clock))
        reached_ms = update.candles.last_opened_ms
        if reached_ms is None or reached_ms == before_ms or reached_ms >= wanted.expected_ms - wanted.interval_ms:
            break
    return update


def _joined(update: Update, answer: Candles, wanted: Wanted, newest_ms: int) -> Update:
    """What was known and what came, as one window of closed candles that can be real."""
    clean = cleaned(answer, wanted.interval_ms // 1000, newest_ms)
    last_ms = clean.candles.last_opened_ms
    whole = without_bad_prints(update.candles.merged(wanted.closed(clean.candles), KEPT))
    return Update(
        candles=whole.candles,
        defects=update.defects + clean.defects + whole.defects,
        proven=last_ms is not None and last_ms >= wanted.closed_ms,
    )


def _newest_possible_ms(clock: Clock) -> int:
    """The latest moment that it may be now on the exchange's clock, UTC milliseconds of market time."""
    return clock.now().market_ms + round(CLOCK_GRACE_MS * clock.speed)
