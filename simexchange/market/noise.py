"""PURE. Random numbers that are a function of what they are for, not of when they are asked for.

A counter-based generator (Philox) is keyed by the seed, the process and the block of time: any day's numbers can be
drawn on their own, in any order, again and again. numpy keeps these streams stable in practice but does not promise it
across major versions.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# What a stream of numbers is used for; part of the key so that two uses never share numbers.
REGIME, DAY_VOLATILITY, DAY_RETURN, INTRADAY_VOLATILITY, MINUTE_RETURN, CANDLE_SHAPE = range(1, 7)


def stream(seed: int, process: int, purpose: int, block: int) -> np.random.Generator:
    """The generator for one purpose of one process in one block of time."""
    return np.random.Generator(np.random.Philox(key=[seed, process], counter=[0, 0, block, purpose]))


def autoregressive(noise: Floats, persistence: float, burn_in: int) -> Floats:
    """A stationary AR(1) process of unit variance driven by ``noise``, without its first ``burn_in`` values.

    The memory is cut after ``burn_in`` steps: that makes a value a function of a finite stretch of noise, so it can be
    computed for any time without walking there from the beginning.
    """
    kernel = persistence ** np.arange(burn_in + 1)
    return np.convolve(noise, kernel / np.sqrt(np.sum(kernel**2)), mode="valid")
