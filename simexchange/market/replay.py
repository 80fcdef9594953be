"""Recorded candles played back in market time: a folder of ``BASE_QUOTE-TF.csv.gz`` files.

Each file has a header and the columns ``ts_ms,open,high,low,close,volume``, open time in UTC milliseconds. Candles are
served as recorded, added up to longer ones, never invented: a gap stays a gap, and after the last one none appears. The
last price stands in a gap and after the end; before its first candle a symbol does not trade.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_FLOOR, Decimal
from pathlib import Path
from typing import Literal

import numpy as np

from simexchange.amounts import E8, to_decimal
from simexchange.market.candles import (
    CLOSE,
    COLUMNS,
    HIGH,
    LOW,
    OPEN,
    OPEN_MS,
    QUOTE_VOLUME,
    TAKER_BASE,
    TAKER_QUOTE,
    TRADES,
    VOLUME,
    Rows,
    aggregate,
    between,
)
from simexchange.market.instruments import Instrument
from simexchange.market.noise import Floats
from simexchange.market.timeframes import DAY_MS, TIMEFRAMES

_NAME = re.compile(r"^([A-Z0-9]+)_([A-Z0-9]+)-(\d+[mhd])\.csv\.gz$")
_MIN_NOTIONAL = {"BTC": Decimal("0.0001"), "ETH": Decimal("0.001"), "BNB": Decimal("0.01")}
_MIN_NOTIONAL_OTHERS = Decimal(5)
_STEPS_PER_MIN_NOTIONAL = 100  # at most this many lot steps make up the smallest order, and at least a tenth of it


@dataclass(frozen=True)
class Recording:
    """One symbol's candles at their native timeframe, and what was added up from them."""

    instrument: Instrument
    length_ms: int
    rows: Rows
    longer: dict[int, Rows] = field(default_factory=dict)

    def at(self, length_ms: int) -> Rows:
        """Candles of a multiple of the native timeframe; computed once, then kept."""
        if length_ms == self.length_ms:
            return self.rows
        if length_ms not in self.longer:
            self.longer[length_ms] = aggregate(self.rows, length_ms)
        return self.longer[length_ms]

    @property
    def span(self) -> tuple[int, int]:
        """From the first open to the last close."""
        return int(self.rows[0, OPEN_MS]), int(self.rows[-1, OPEN_MS]) + self.length_ms


class ReplayedPrices:
    """Source of final candles read from files."""

    def __init__(self, recordings: Mapping[str, Recording]) -> None:
        self._recordings = dict(recordings)

    @classmethod
    def read(cls, directory: Path) -> ReplayedPrices:
        """Read every file of the folder that is named like a market; of several timeframes the shortest counts.

        Raises ValueError when there is none or one cannot be read.
        """
        if not directory.is_dir():
            raise ValueError("no such folder")
        chosen: dict[str, Recording] = {}
        for path in sorted(directory.iterdir()):
            match = _NAME.match(path.name)
            if not match or match[3] not in TIMEFRAMES:
                continue
            recording = _recording(path, match[1], match[2], TIMEFRAMES[match[3]])
            known = chosen.get(recording.instrument.symbol)
            if known is None or recording.length_ms < known.length_ms:
                chosen[recording.instrument.symbol] = recording
        if not chosen:
            raise ValueError("no file is named like BTC_USDT-1h.csv.gz")
        return cls(chosen)

    @property
    def instruments(self) -> dict[str, Instrument]:
        return {symbol: recording.instrument for symbol, recording in self._recordings.items()}

    def base_ms(self, symbol: str) -> int:
        """The native timeframe."""
        return self._recordings[symbol].length_ms

    def rows(
        self, symbol: str, length_ms: int, start_ms: int, end_ms: int, limit: int, keep: Literal["first", "last"]
    ) -> Rows:
        """At most ``limit`` final candles that open in ``[start_ms, end_ms)``, from its beginning or its end."""
        found = between(self._recordings[symbol].at(length_ms), start_ms, end_ms)
        return found[-limit:] if keep == "last" else found[:limit]

    def default_origin_ms(self) -> int:
        """60 % into the stretch of time that most symbols have in common.

        Recordings of different years may lie in one folder; the middle of the whole would be a time of no trade.
        """
        spans = [recording.span for recording in self._recordings.values()]
        crowds = [[other for other in spans if other[0] <= begin < other[1]] for begin, _ in spans]
        busiest = max(crowds, key=len)
        begin, end = max(span[0] for span in busiest), min(span[1] for span in busiest)
        return begin + (end - begin) * 6 // 10


def _recording(path: Path, base: str, quote: str, length_ms: int) -> Recording:
    """Read one file. Prices are rounded to eight decimals: the files hold the digits of binary fractions."""
    try:
        with gzip.open(path, "rt") as lines:
            written = lines.read().splitlines()[1:]
        table = np.loadtxt(written, delimiter=",", ndmin=2, dtype=np.float64) if written else np.empty((0, 6))
    except (OSError, EOFError, ValueError) as error:
        raise ValueError(f"{path.name}: {error}") from error
    if table.size == 0 or table.shape[1] != 6 or not np.isfinite(table).all():
        raise ValueError(f"{path.name}: expected the columns ts_ms,open,high,low,close,volume")
    rows = _rows(table)
    opens, prices = rows[:, OPEN_MS], rows[:, OPEN : CLOSE + 1]
    if np.any(np.diff(opens) <= 0) or np.any(opens % length_ms):
        raise ValueError(f"{path.name}: open times must ascend in whole candles")
    if prices.min() <= 0 or np.any(prices.max(axis=1) > rows[:, HIGH]) or np.any(prices.min(axis=1) < rows[:, LOW]):
        raise ValueError(f"{path.name}: a candle's prices must be positive and lie between its low and its high")
    return Recording(_instrument(base, quote, rows, length_ms), length_ms, rows)


def _rows(table: Floats) -> Rows:
    """Rows from recorded columns. What was not recorded is estimated: quote volume at the typical price, half of it
    bought by takers, a trade count from the volume's size."""
    rows = np.zeros((len(table), COLUMNS), dtype=np.int64)
    rows[:, OPEN_MS] = table[:, 0]
    rows[:, OPEN : VOLUME + 1] = np.rint(table[:, 1:6] * E8)
    typical = table[:, 2:5].sum(axis=1) / 3
    rows[:, QUOTE_VOLUME] = np.rint(table[:, 5] * typical * E8)
    rows[:, TAKER_BASE], rows[:, TAKER_QUOTE] = rows[:, VOLUME] // 2, rows[:, QUOTE_VOLUME] // 2
    rows[:, TRADES] = np.where(rows[:, VOLUME] > 0, 1 + np.floor(np.sqrt(table[:, 5])), 0)
    return rows


def _decimals(values: Rows) -> int:
    """Decimals needed to write all the values (in 1e-8 units) exactly."""
    for decimals in range(8):
        if not np.any(values % 10 ** (8 - decimals)):
            return decimals
    return 8


def _instrument(base: str, quote: str, rows: Rows, length_ms: int) -> Instrument:
    """Trading rules that the recorded numbers fit.

    The tick is the prices' last decimal. The step is the volumes', but no finer than a hundredth of the smallest
    order: recorders write volumes with digits that no exchange accepts.
    """
    min_notional = _MIN_NOTIONAL.get(quote, _MIN_NOTIONAL_OTHERS)
    price = to_decimal(int(np.median(rows[:, CLOSE])))
    useful = (price * _STEPS_PER_MIN_NOTIONAL / min_notional).log10().to_integral_value(ROUND_FLOOR)
    step_decimals = min(_decimals(rows[:, VOLUME]), max(int(useful), 0))
    per_day = float(rows[:, QUOTE_VOLUME].mean()) / E8 * (DAY_MS / length_ms)
    book = max(to_decimal(int(per_day / 20_000 * E8)), min_notional * 10)
    return Instrument(
        base=base,
        quote=quote,
        tick=Decimal(1).scaleb(-_decimals(rows[:, OPEN : CLOSE + 1])),
        step=Decimal(1).scaleb(-step_decimals),
        min_notional=min_notional,
        max_market_qty=(book * 600 / price).quantize(Decimal("0.00000001")),
        book_notional=book,
    )
