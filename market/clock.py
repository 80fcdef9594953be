"""Two clocks: wall time and market time.

Market time runs ``speed`` times as fast as wall time from a stored anchor: candles, slots, UTC days, fills and
snapshots live in it. Wall time is what the machine says: signatures, timeouts, leases, expiry, heartbeats and
the dead man's switch live in it. At speed 1 on a real exchange the two are the same.

The anchor is one small file in VAR, written at start-up by whoever starts the platform and read by every process,
so all of them agree on the market time without talking to each other.
"""

import json
import math
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Clock:
    """``market = origin_market_ms + (wall - origin_wall_ms) * speed``; all in UTC milliseconds.

    ``stopped_ms`` is where market time stands still while the platform is off, None while it runs.
    """

    origin_wall_ms: int = 0
    origin_market_ms: int = 0
    speed: float = 1.0
    stopped_ms: int | None = None

    def market_ms(self, wall_ms: int) -> int:
        """Market time at a wall time, both UTC milliseconds."""
        market_ms = self.origin_market_ms + round((wall_ms - self.origin_wall_ms) * self.speed)
        return market_ms if self.stopped_ms is None else min(market_ms, self.stopped_ms)

    def wall_ms(self, market_ms: int) -> int:
        """The first wall millisecond at which the market time has been reached.

        Rounded up: an act planned for the start of a slot must not come a moment before it, in the slot before.
        """
        return self.origin_wall_ms + math.ceil((market_ms - self.origin_market_ms) / self.speed)

    def now(self) -> "Now":
        """Both clocks, read once. Call it at an entrance and pass the value down."""
        wall_ms = time.time_ns() // 1_000_000
        return Now(wall_ms=wall_ms, market_ms=self.market_ms(wall_ms))

    def resumed(self, wall_ms: int, market_ms: int, speed: float) -> "Clock":
        """A clock that goes on from ``market_ms`` at ``wall_ms``, perhaps at another speed."""
        return Clock(origin_wall_ms=wall_ms, origin_market_ms=market_ms, speed=speed)


@dataclass(frozen=True, slots=True)
class Now:
    """One moment on both clocks, UTC milliseconds."""

    wall_ms: int
    market_ms: int

    @property
    def wall_at(self) -> datetime:
        return moment(self.wall_ms)

    @property
    def market_at(self) -> datetime:
        return moment(self.market_ms)


def moment(ms: int) -> datetime:
    """UTC milliseconds as an aware datetime."""
    return datetime.fromtimestamp(ms / 1000, tz=UTC)


def ms_of(at: datetime) -> int:
    """An aware datetime as UTC milliseconds, to the nearest."""
    return round(at.timestamp() * 1000)


def load_clock(path: Path) -> Clock:
    """The clock whose anchor is stored at ``path``; wall time itself where there is none (a real exchange).

    Raises ValueError when the file is there but is not an anchor: guessing the market time would trade on it.
    """
    try:
        stored = json.loads(path.read_text())
        stopped_ms = stored.get("stopped_ms")
        clock = Clock(
            int(stored["origin_wall_ms"]),
            int(stored["origin_market_ms"]),
            float(stored["speed"]),
            None if stopped_ms is None else int(stopped_ms),
        )
        if not (math.isfinite(clock.speed) and clock.speed > 0):
            raise ValueError(f"speed {clock.speed}")
        return clock
    except FileNotFoundError:
        return Clock()
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise ValueError(f"{path} is not a clock anchor ({error}); restore it, or remove it to start anew") from error


def save_clock(path: Path, clock: Clock) -> None:
    """Store the anchor so that a reader sees the old one or the new one, never half of it."""
    scratch = path.with_suffix(".tmp")
    scratch.write_text(json.dumps(asdict(clock)))
    scratch.replace(path)
