"""Where market time stands when the platform starts: it goes on from where it stopped, as if the pause had not been.

Bots see a market without a hole in it: no stop loss is jumped and no day goes by while the platform is off. The last
moment that any process may have seen is kept in ``VAR/market_seen``, a high-water mark: written every second a little
ahead of the market (a kill -9 gives no warning), and exactly at an orderly stop.
"""

import time
from dataclasses import replace
from pathlib import Path

from market.clock import Clock, load_clock, save_clock
from tradingplatform.launcher.refusal import Refusal

AHEAD_S = 2.0  # wall seconds the mark is ahead; longer than the pause between two marks


def wall_now_ms() -> int:
    return time.time_ns() // 1_000_000


def resumed(before: Clock | None, seen_ms: int | None, wall_ms: int, speed: float, start_ms: int) -> Clock:
    """The clock of this run. Values in, value out.

    ``before`` is the clock of the last run, None on the first one, which begins at ``start_ms``. Without a mark the
    last clock is believed to have run on: a jump forward is bad, a step back would trade the same candles twice.
    """
    if before is None:
        market_ms = start_ms
    elif seen_ms is None:
        market_ms = before.market_ms(wall_ms)
    else:
        market_ms = seen_ms
    return Clock(origin_wall_ms=wall_ms, origin_market_ms=market_ms, speed=speed)


def clock_of_last_run(var: Path) -> Clock | None:
    """None when this VAR has not run yet. Raises Refusal when the file is damaged."""
    path = var / "clock.json"
    try:
        return load_clock(path) if path.exists() else None
    except ValueError as error:
        raise Refusal(str(error)) from None


def resume(var: Path, speed: float, start_ms: int, seen_ms: int | None) -> Clock:
    """Set the clock that every process of this run reads."""
    clock = resumed(clock_of_last_run(var), seen_ms, wall_now_ms(), speed, start_ms)
    save_clock(var / "clock.json", clock)
    return clock


def stand_still(var: Path, wall_ms: int) -> None:
    """Stop market time at an orderly end: a command typed while the platform is off must not stamp a later one.

    The wall time of a real exchange goes on, whoever watches.
    """
    clock = load_clock(var / "clock.json")
    market_ms = clock.market_ms(wall_ms)
    write_mark(var, market_ms)
    if clock != Clock():
        save_clock(var / "clock.json", replace(clock, stopped_ms=market_ms))


def read_mark(var: Path) -> int | None:
    """The last market moment seen, UTC milliseconds; None where there is no readable one."""
    try:
        return int((var / "market_seen").read_text())
    except (OSError, ValueError):
        return None


def write_mark(var: Path, market_ms: int) -> None:
    """Replace the mark as a whole: after a crash it is the old one or the new one."""
    scratch = var / "market_seen.tmp"
    scratch.write_text(str(market_ms))
    scratch.replace(var / "market_seen")


def mark_ahead(var: Path, clock: Clock, wall_ms: int) -> None:
    """For a running platform: no process sees a later moment before the next mark."""
    write_mark(var, clock.market_ms(wall_ms + round(AHEAD_S * 1000)))
