"""Recorded market data for tests that can use it: it lies beside the project, or the test is skipped."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from market.candles import Candles

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "candles"


def recorded(name: str) -> Candles:
    """All candles of one file, such as ``NEO_BTC-1h-outage``. Skips the test where the folder is absent."""
    if not FOLDER.is_dir():
        pytest.skip(f"no recorded candles in {FOLDER}")
    with gzip.open(FOLDER / f"{name}.csv.gz", "rt") as lines:
        return Candles.from_rows(np.loadtxt(lines, delimiter=",", skiprows=1))
