"""PURE. One mean-reverting random process of log-price, computable for any day on its own.

It is built from the top down. A value at the start of each day (a sum of fading past daily returns: mean-reverting, so
a price neither explodes nor dies over years), and a bridge of 1,440 minutes between two such values. Both carry the
same regimes (4-hour slots that trend up, trend down or range, and tend to last) and the same clustered volatility (a
slow daily part; within the day also a fast 5-minute part and fat-tailed minutes).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from simexchange.market import noise
from simexchange.market.noise import Floats

MINUTES = 1440
SLOTS = 6  # regime slots of four hours in a day
CHUNK = 64  # days computed together
_SLOT_MINUTES = MINUTES // SLOTS
_VOL_STEPS = 288  # five-minute steps of the fast volatility
_MEMORY_DAYS = 640  # days of past returns in a level; what is older has faded to 0.985 ** 640 = 6e-5
_DAY_PERSISTENCE = 0.985  # half of a deviation is gone after 46 days
_REGIME_PERSISTENCE, _REGIME_THRESHOLD = 0.85, 0.5
_DAY_VOL_PERSISTENCE, _DAY_VOL_SPREAD = 0.93, 0.35
_FAST_VOL_PERSISTENCE, _FAST_VOL_SPREAD = 0.97, 0.35
_DRIFT = 0.38  # drift of a trending slot in units of its own standard deviation
_TREND_VOL, _RANGE_VOL = 1.05, 0.75
_TAIL_SHARE, _TAIL_SCALE = 0.02, 2.6  # two minutes in a hundred move 2.6 times as far
_TAIL_NORM = 1.0 / np.sqrt(1 - _TAIL_SHARE + _TAIL_SHARE * _TAIL_SCALE**2)


@dataclass(frozen=True)
class Factor:
    """``process`` keys its random numbers; ``minute_vol`` is the standard deviation of a minute's log return."""

    seed: int
    process: int
    minute_vol: float


@dataclass(frozen=True)
class DayPath:
    """``levels`` holds 1,441 log values (both midnights included), ``vols`` the standard deviation of each minute."""

    levels: Floats
    vols: Floats


def _two_chunks(factor: Factor, purpose: int, chunk: int, per_day: int) -> Floats:
    """Normal numbers of the chunk before (burn-in) and of the chunk itself."""
    streams = [noise.stream(factor.seed, factor.process, purpose, c) for c in (chunk - 1, chunk)]
    return np.concatenate([random.standard_normal(CHUNK * per_day) for random in streams])


@lru_cache(maxsize=2048)
def _regimes(factor: Factor, chunk: int) -> Floats:
    """Drift per slot in standard deviations, shape (CHUNK, SLOTS): positive up, negative down, 0 ranging."""
    draws = _two_chunks(factor, noise.REGIME, chunk, SLOTS)
    state = noise.autoregressive(draws, _REGIME_PERSISTENCE, CHUNK * SLOTS)
    drift: Floats = np.where(np.abs(state) > _REGIME_THRESHOLD, np.sign(state) * _DRIFT, 0.0)
    return drift.reshape(CHUNK, SLOTS)


@lru_cache(maxsize=2048)
def _day_volatility(factor: Factor, chunk: int) -> Floats:
    """Slow volatility multiplier at the start of each day, around 1."""
    state = noise.autoregressive(_two_chunks(factor, noise.DAY_VOLATILITY, chunk, 1), _DAY_VOL_PERSISTENCE, CHUNK)
    multiplier: Floats = np.exp(_DAY_VOL_SPREAD * state)
    return multiplier


@lru_cache(maxsize=2048)
def _day_returns(factor: Factor, chunk: int) -> Floats:
    """Log return of each day before mean reversion: the drifts of its slots plus a random part."""
    shock = noise.stream(factor.seed, factor.process, noise.DAY_RETURN, chunk).standard_normal(CHUNK)
    scale = factor.minute_vol * _day_volatility(factor, chunk)
    drift = _regimes(factor, chunk).sum(axis=1) * np.sqrt(_SLOT_MINUTES)
    returns: Floats = scale * (drift + np.sqrt(MINUTES) * shock)
    return returns


@lru_cache(maxsize=2048)
def _day_levels(factor: Factor, chunk: int) -> Floats:
    """Log level at the start of each day of the chunk.

    Rounded to 1e-9 so that the midnight shared by two days is the same number for both, to the last tick.
    """
    past = _MEMORY_DAYS // CHUNK
    returns = np.concatenate([_day_returns(factor, c) for c in range(chunk - past, chunk + 1)])[:-1]
    fading = _DAY_PERSISTENCE ** np.arange(_MEMORY_DAYS)
    levels: Floats = np.convolve(returns, fading, mode="valid")
    return levels.round(9)


def _day_item(values: Floats, day: int) -> float:
    return float(values[day % CHUNK])


def _fast_volatility(factor: Factor, day: int) -> Floats:
    """Volatility multiplier of each minute within the day, held for five minutes at a time."""
    draws = [
        noise.stream(factor.seed, factor.process, noise.INTRADAY_VOLATILITY, d).standard_normal(_VOL_STEPS)
        for d in (day - 1, day)
    ]
    state = noise.autoregressive(np.concatenate(draws), _FAST_VOL_PERSISTENCE, _VOL_STEPS)
    return np.repeat(np.exp(_FAST_VOL_SPREAD * state - _FAST_VOL_SPREAD**2), MINUTES // _VOL_STEPS)


def day_path(factor: Factor, day: int) -> DayPath:
    """The process through one UTC day (days counted since 1970)."""
    chunk = day // CHUNK
    start = _day_item(_day_levels(factor, chunk), day)
    end = _day_item(_day_levels(factor, (day + 1) // CHUNK), day + 1)
    slow_start = _day_item(_day_volatility(factor, chunk), day)
    slow_end = _day_item(_day_volatility(factor, (day + 1) // CHUNK), day + 1)
    drift = _regimes(factor, chunk)[day % CHUNK]
    trending = drift != 0.0
    slot_vol = np.where(trending, _TREND_VOL, _RANGE_VOL)
    vols = (
        factor.minute_vol
        * np.linspace(slow_start, slow_end, MINUTES)
        * _fast_volatility(factor, day)
        * np.repeat(slot_vol, _SLOT_MINUTES)
    )
    random = noise.stream(factor.seed, factor.process, noise.MINUTE_RETURN, day)
    shocks = random.standard_normal(MINUTES) * _TAIL_NORM
    shocks[random.random(MINUTES) < _TAIL_SHARE] *= _TAIL_SCALE
    drift_scale = factor.minute_vol * slow_start / np.sqrt(_SLOT_MINUTES)
    steps = vols * shocks + np.repeat(drift * drift_scale, _SLOT_MINUTES)
    path = np.concatenate(([0.0], np.cumsum(steps)))
    path[:-1] += _wobble(random, factor.minute_vol * slow_start, trending)
    # Bridge: the gap to the level at the next midnight is spread over the day in proportion to its variance.
    spent = np.concatenate(([0.0], np.cumsum(vols**2)))
    levels = start + path + (end - start - path[-1]) * (spent / spent[-1])
    levels[0], levels[-1] = start, end
    return DayPath(levels, vols)


def _wobble(random: np.random.Generator, scale: float, trending: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """A swing to and fro in ranging slots, zero at their edges: what mean-reverting strategies live on."""
    swings = random.uniform(1.0, 3.0, SLOTS)
    phases = random.uniform(0.0, 2 * np.pi, SLOTS)
    heights = np.where(trending, 0.0, random.uniform(0.2, 0.6, SLOTS) * scale * np.sqrt(_SLOT_MINUTES))
    x = np.arange(_SLOT_MINUTES) / _SLOT_MINUTES
    waves = np.sin(2 * np.pi * swings[:, None] * x + phases[:, None]) * np.sin(np.pi * x) ** 2
    return np.asarray((heights[:, None] * waves).ravel())
