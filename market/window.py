"""A question for closed candles, and its answer. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum

from market.candles import Candles
from market.hygiene import Defect
from market.slots import interval_s, slot_start_ms

KEPT = 1000
"""Candles kept per symbol and timeframe: as many as Binance gives in one request of weight 2."""

OVERLAP = 10
"""So many known candles are asked for again with the new ones, at no cost: the exchange may have corrected them, or
published one that was missing."""

NOTHING = Candles.from_rows([])


class Source(StrEnum):
    """Where the candles of a window came from."""

    CACHE = "cache"  # another call of the fleet had already fetched them
    EXCHANGE = "exchange"  # asked for just now, by this call
    LAST_KNOWN = "last known"  # the newest could not be had: what was known before


@dataclass(frozen=True, slots=True)
class Window:
    """Closed candles for one slot, oldest first, and how far they can be trusted.

    ``expected_ms`` is the open time of the candle that closed when the slot began (UTC milliseconds of market time).
    ``reason`` says why the window is not fresh, ``defects`` what was wrong with candles of this fetch.
    """

    candles: Candles
    expected_ms: int
    interval_ms: int
    source: Source
    reason: str = ""
    defects: Mapping[Defect, int] = field(default_factory=dict)

    @property
    def fresh(self) -> bool:
        """Is the last candle the expected one?"""
        return self.candles.last_opened_ms == self.expected_ms

    @property
    def behind(self) -> int | None:
        """How many candles are missing at the end; 0 when fresh, None when there are no candles at all."""
        last_ms = self.candles.last_opened_ms
        return None if last_ms is None else (self.expected_ms - last_ms) // self.interval_ms

    def age_ms(self, market_ms: int) -> int | None:
        """How long ago the last candle closed; None when there is none."""
        last_ms = self.candles.last_opened_ms
        return None if last_ms is None else market_ms - last_ms - self.interval_ms

    @property
    def gaps(self) -> int:
        """How many candles are missing between the first and the last."""
        return self.candles.missing(len(self.candles), self.interval_ms // 1000)


@dataclass(frozen=True, slots=True)
class Wanted:
    """The closed candles that the tick of ``slot`` looks at: at most ``count``, the last one of slot - 1."""

    symbol: str
    timeframe: str
    slot: int
    count: int

    def __post_init__(self) -> None:
        interval_s(self.timeframe)
        if not 1 <= self.count <= KEPT:
            raise ValueError(f"between 1 and {KEPT} candles can be asked for, not {self.count}")

    @property
    def interval_ms(self) -> int:
        return interval_s(self.timeframe) * 1000

    @property
    def closed_ms(self) -> int:
        """When the last wanted candle closed: the start of the slot."""
        return slot_start_ms(self.slot, interval_s(self.timeframe))

    @property
    def expected_ms(self) -> int:
        """When the last wanted candle opened."""
        return self.closed_ms - self.interval_ms

    def closed(self, candles: Candles) -> Candles:
        """Those of ``candles`` that had closed when the slot began."""
        return candles.closed_before(self.closed_ms, interval_s(self.timeframe))

    def settled_by(self, known: Candles) -> bool:
        """Is there nothing left to ask for? Known candles that all lie after the slot are of no use to it."""
        last_ms = known.last_opened_ms
        return last_ms is not None and last_ms >= self.expected_ms >= int(known.opened_ms[0])

    def worth_keeping(self, known: Candles) -> Candles:
        """What of ``known`` can be continued with one request: all of it, or nothing when the gap is too wide."""
        last_ms = known.last_opened_ms
        if last_ms is None or not 0 <= self.expected_ms - last_ms <= (KEPT - 1 - OVERLAP) * self.interval_ms:
            return NOTHING
        return known

    def missing_after(self, known: Candles) -> tuple[int, int]:
        """(since, limit) of the request that continues ``known``, UTC milliseconds and candles.

        It begins with the last known candles (see OVERLAP) and reaches one candle beyond the wanted ones: that one's
        existence proves that they have closed on the exchange's clock too.
        """
        last_ms = known.last_opened_ms
        if last_ms is None:
            since_ms = self.expected_ms - (KEPT - 2) * self.interval_ms
        else:
            since_ms = max(int(known.opened_ms[0]), last_ms - (OVERLAP - 1) * self.interval_ms)
        return since_ms, (self.expected_ms - since_ms) // self.interval_ms + 2

    def window(
        self, known: Candles, source: Source, reason: str = "", defects: Mapping[Defect, int] | None = None
    ) -> Window:
        """The answer out of ``known`` candles; a reason is found where none is given and one is due."""
        candles = self.closed(known)[-self.count :]
        if candles.last_opened_ms == self.expected_ms:
            reason = ""
        elif not reason:
            opened = f"{datetime.fromtimestamp(self.expected_ms / 1000, tz=UTC):%Y-%m-%d %H:%M} UTC"
            reason = f"the exchange has no closed {self.timeframe} candle of {self.symbol} for {opened}"
            reason += f" ({in_words(defects)})" if defects else ""
        return Window(candles, self.expected_ms, self.interval_ms, source, reason, defects or {})


def in_words(defects: Mapping[Defect, int]) -> str:
    """``2 not a number, 1 inverted``."""
    return ", ".join(f"{count} {defect}" for defect, count in defects.items())
