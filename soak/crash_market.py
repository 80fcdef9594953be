"""A market that falls by 30 % within an hour, as recorded candles that the simulated exchange plays."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.fleets import SYMBOLS

MINUTE_MS = 60_000
BEFORE_MIN, CRASH_AFTER_MIN, CRASH_MIN, AFTER_MIN = 5 * 1_440, 150, 60, 240
"""Minutes of market time: quiet ones before the platform starts, from its start to the crash, the crash, the rest."""

FALL = 0.30
_NOISE = 0.0002  # of the price, in a minute
_START = {"BTC": 60_000.0, "ETH": 3_000.0}

Path_ = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True)
class Crash:
    """Minute candles of all symbols: ``closes`` by base, the first one opens at ``first_ms`` at the price of its own
    close before."""

    first_ms: int
    closes: dict[str, Path_]

    @property
    def begins_ms(self) -> int:
        return self.first_ms + (BEFORE_MIN + CRASH_AFTER_MIN) * MINUTE_MS

    @property
    def ends_ms(self) -> int:
        return self.begins_ms + CRASH_MIN * MINUTE_MS

    def reached_ms(self, base: str, price: float, since_ms: int) -> int | None:
        """When the price was first at ``price`` or below after a moment, to the part of the minute; None: never."""
        closes = self.closes[base]
        first = max(1, (since_ms - self.first_ms) // MINUTE_MS)
        below = np.flatnonzero(closes[first:] <= price)
        if not len(below):
            return None
        i = int(first + below[0])
        before, after = float(closes[i - 1]), float(closes[i])
        part = (before - price) / (before - after) if before > price else 0.0
        return self.first_ms + round((i + part) * MINUTE_MS)

    def write(self, folder: Path) -> None:
        """One file for each symbol, as ``--replay`` reads them."""
        folder.mkdir()
        for base, closes in self.closes.items():
            opens = np.concatenate([closes[:1], closes[:-1]])
            at_ms = self.first_ms + np.arange(len(closes)) * MINUTE_MS
            volume = np.full(len(closes), 2e7 / closes[0])
            columns = [at_ms, opens, np.maximum(opens, closes), np.minimum(opens, closes), closes, volume]
            with gzip.open(folder / f"{base}_USDT-1m.csv.gz", "wt", compresslevel=1) as file:
                file.write("ts_ms,open,high,low,close,volume\n")
                np.savetxt(file, np.column_stack(columns), delimiter=",", fmt=["%d", *["%.4f"] * 4, "%.3f"])


def crash(now_ms: int, seed: int = 1) -> Crash:
    """The market around a platform that starts now."""
    random = np.random.default_rng(seed)
    first_ms = now_ms // MINUTE_MS * MINUTE_MS - BEFORE_MIN * MINUTE_MS
    return Crash(first_ms, {base: _closes(_START.get(base, 100.0), random) for base in SYMBOLS})


def _closes(start: float, random: np.random.Generator) -> Path_:
    """Noise about a price; then the fall, which is the same fraction every minute, and noise about what is left."""
    quiet = BEFORE_MIN + CRASH_AFTER_MIN
    fall = np.log(1 - FALL) * np.arange(1, CRASH_MIN + 1) / CRASH_MIN
    level = np.concatenate([np.zeros(quiet), fall, np.full(AFTER_MIN, np.log(1 - FALL))])
    closes: Path_ = np.round(start * np.exp(level + random.normal(0, _NOISE, len(level))), 4)
    return closes
