"""Candles of a seeded random walk."""

import numpy as np
import pytest

from market.candles import Candles


def random_walk(seed, count, start=100.0, step=0.01):
    """``count`` hourly candles whose close moves by about ``step`` (a fraction) each, high and low around the body."""
    rng = np.random.default_rng(seed)
    close = start * np.exp(np.cumsum(rng.normal(0, step, count)))
    opening = np.concatenate([[start], close[:-1]])
    high = np.maximum(opening, close) * (1 + np.abs(rng.normal(0, step / 2, count)))
    low = np.minimum(opening, close) * (1 - np.abs(rng.normal(0, step / 2, count)))
    opened_ms = np.arange(count, dtype=np.int64) * 3_600_000
    return Candles(opened_ms, opening, high, low, close, rng.uniform(1, 100, count))


@pytest.fixture
def walk():
    """The maker of candles: walk(seed, count, start=100.0, step=0.01)."""
    return random_walk


@pytest.fixture
def candles():
    """A window of 1,000."""
    return random_walk(7, 1000)
