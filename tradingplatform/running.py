"""Does the platform run, and when did it stop: from its lock, its clock and its high-water mark, all in VAR."""

from enum import StrEnum
from pathlib import Path
from typing import Any

from market.clock import Clock, moment
from tradingplatform.launcher.folder import is_running
from tradingplatform.launcher.marketclock import AHEAD_S, read_mark


class State(StrEnum):
    """``KILLED``: the supervisor is gone without a stop in order; what it watched may still trade."""

    RUNNING = "running"
    STOPPED = "stopped"
    KILLED = "killed"


def platform_state(var: Path, clock: Clock) -> dict[str, Any]:
    """``platform`` is the state, ``stopped_at`` the market time of its end; None while it runs or never ran."""
    if is_running(var):
        return {"platform": State.RUNNING.value, "stopped_at": None}
    mark = read_mark(var)
    end_ms = mark if clock.stopped_ms is None else clock.stopped_ms
    return {
        "platform": (State.KILLED if mark is not None and _was_killed(var, clock, mark) else State.STOPPED).value,
        "stopped_at": None if end_ms is None else moment(end_ms).isoformat(),
    }


def _was_killed(var: Path, clock: Clock, mark: int) -> bool:
    if clock.stopped_ms is not None:
        return False
    if clock == Clock():  # a real exchange: its time never stops; a mark ahead of its writing was not the last one
        return mark > (var / "market_seen").stat().st_mtime_ns // 1_000_000 + AHEAD_S * 1000 / 2
    return mark > clock.origin_market_ms  # not so for a start that was refused: no mark followed its clock
