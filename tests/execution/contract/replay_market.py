"""Candles for the simulated exchange to replay, in which every scenario finds a symbol that is about to move.

Of the falling symbols (and of the rising ones) one leaves 100 in every minute of market time: seven of them go through
the same seven minutes, each a minute later than the one before.
"""

import gzip
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

from tests.execution.contract.venue import BNB_PRICE, CALM, NO_BASE, NO_EUR, SHUT, WITH_BNB

MINUTE_MS = 60_000
ORIGIN_MS = 1_760_000_040_000  # a full minute
MINUTES_BEFORE, MINUTES_AFTER = 14, 1400
PHASES = 7
LEAVES_AT = 3
FALL = (100, 100, 100, 99, 99, 98, 98)
RISE = (100, 100, 100, 101, 101, 102, 102)
STEP_MINUTES = 2
VOLUME = "10.001"  # gives lot steps of 0.001, and a book that offers about 72 quote at its best price


def write(directory: Path) -> None:
    """One file for each symbol."""
    calm = dict.fromkeys((CALM, SHUT, NO_EUR, NO_BASE, WITH_BNB), (100,))
    for symbol, prices in {**calm, "BNB/FDUSD": (int(BNB_PRICE),)}.items():
        _write(directory, symbol, prices)
    for phase in range(PHASES):
        _write(directory, falling(phase), _late(FALL, phase))
        _write(directory, rising(phase), _late(RISE, phase))


def falling(phase: int) -> str:
    return f"FALL{'ABCDEFG'[phase]}/USDT"


def rising(phase: int) -> str:
    return f"RISE{'ABCDEFG'[phase]}/USDT"


def leaving_at(minute: int) -> int:
    """The phase of the symbol that leaves 100 at the beginning of a minute, counted from the origin."""
    return (minute - LEAVES_AT) % PHASES


def _late(prices: Sequence[int], phase: int) -> Sequence[int]:
    return [prices[(minute - phase) % PHASES] for minute in range(PHASES)]


def _write(directory: Path, symbol: str, prices: Sequence[int]) -> None:
    """Two whole rounds come before the origin, so that the n-th price is that of minute n. The first candle's low is
    what tells the exchange the tick."""
    lines = ["ts_ms,open,high,low,close,volume"]
    path = islice(cycle(prices), MINUTES_BEFORE + MINUTES_AFTER)
    for minute, price in enumerate(path, -MINUTES_BEFORE):
        low = f"{price - 0.01:.2f}" if minute == -MINUTES_BEFORE else price
        lines.append(f"{ORIGIN_MS + minute * MINUTE_MS},{price},{price},{low},{price},{VOLUME}")
    base, _, quote = symbol.partition("/")
    with gzip.open(directory / f"{base}_{quote}-1m.csv.gz", "wt") as file:
        file.write("\n".join(lines))
