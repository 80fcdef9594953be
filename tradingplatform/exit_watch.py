"""Which positions' stops and targets the live prices have reached, and for how long."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from execution.chores import Watched
from market.fetcher import Price
from risk.exits import ExitCall, ExitReason, review_price
from tradingplatform.wiring import Platform

PRICE_MAX_AGE_S = 15.0  # wall time


@dataclass(frozen=True, slots=True)
class Reached:
    """A stop or a target that a live price has reached. ``for_s``: for how long looks have seen it there, wall time; 0
    as long as it was the same print."""

    watched: Watched
    call: ExitCall
    for_s: float


@dataclass(frozen=True, slots=True)
class _First:
    """When a price was first seen there, and which print it was."""

    at_s: float
    print_ms: int


class ExitWatch:
    """One look a second. What it remembers is only since when; a restart counts anew."""

    def __init__(self) -> None:
        self._first: dict[tuple[int, ExitReason], _First] = {}

    def look(self, platform: Platform, held: Sequence[Watched]) -> list[Reached]:
        """The exits that are called for now, on live accounts and on paper alike."""
        prices = _live(platform, {watched.chore.symbol for watched in held}) if held else {}
        found = []
        for watched in held:
            price = prices.get(watched.chore.symbol)
            call = review_price(watched.stop_price, watched.target_price, price.price) if price else None
            if price is not None and call is not None:
                found.append((watched, call, price.at_ms))
        now_s = time.monotonic()
        first = {_key(watched, call): self._since(watched, call, ms, now_s) for watched, call, ms in found}
        self._first = first
        return [Reached(each, call, _for_s(first[_key(each, call)], ms, now_s)) for each, call, ms in found]

    def _since(self, watched: Watched, call: ExitCall, print_ms: int, now_s: float) -> _First:
        return self._first.get(_key(watched, call)) or _First(now_s, print_ms)


def _key(watched: Watched, call: ExitCall) -> tuple[int, ExitReason]:
    return watched.chore.position_id, call.reason


def _for_s(first: _First, print_ms: int, now_s: float) -> float:
    return now_s - first.at_s if print_ms != first.print_ms else 0.0


def _live(platform: Platform, symbols: set[str]) -> dict[str, Price]:
    now_ms, furthest_ms = platform.clock.now().market_ms, PRICE_MAX_AGE_S * 1000 * platform.clock.speed
    found = platform.fetcher.prices(symbols)
    return {symbol: price for symbol, price in found.items() if abs(now_ms - price.at_ms) <= furthest_ms}


def is_near(price: Decimal, mark: Decimal | None, agreement: Decimal) -> bool:
    """Whether a price agrees with what the position was last valued at."""
    return mark is not None and abs(price - mark) <= agreement * mark
