"""Recorded market data for tests that can use it: it lies beside the project, or the test is skipped."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from market.candles import Candles

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data"


def recorded(name: str) -> Candles:
    """All candles of one file, such as ``NEO_BTC-1h-outage``. Skips the test where the folder is absent."""
    with gzip.open(_found(f"candles/{name}.csv.gz"), "rt") as lines:
        return Candles.from_rows(np.loadtxt(lines, delimiter=",", skiprows=1))


def recorded_answer(name: str) -> Any:
    """The first of the recorded answers of Binance in one file. Skips the test where the folder is absent."""
    return _first_answer(json.loads(_found(f"binance/{name}").read_text()))


def _found(name: str) -> Path:
    if not (FOLDER / name).exists():
        pytest.skip(f"no recorded data in {FOLDER}")
    return FOLDER / name


def _first_answer(stored: Any) -> Any:
    """Recordings are keyed by method and query."""
    while "data" not in stored:
        stored = next(iter(stored.values())) if isinstance(stored, dict) else stored[0]
    return stored["data"]
