"""Timeframes and slots. PURE.

A slot is the number of whole intervals since the epoch: ``floor(market time / interval)``. The tick of slot k
runs after candle k-1 has closed, so a slot names a decision uniquely, for ever, on every machine.
"""

TIMEFRAMES: dict[str, int] = {"15m": 900, "1h": 3600, "4h": 14400}
"""The timeframes a bot may run on, and their interval in seconds."""


def interval_s(timeframe: str) -> int:
    """Seconds of one candle. Raises ValueError, naming the allowed ones, for an unknown timeframe."""
    try:
        return TIMEFRAMES[timeframe]
    except KeyError:
        raise ValueError(f"unknown timeframe {timeframe!r}: use one of {', '.join(TIMEFRAMES)}") from None


def slot_at(market_ms: int, interval: int) -> int:
    """The slot that the market time (UTC milliseconds) lies in, for an interval in seconds."""
    return market_ms // (interval * 1000)


def slot_start_ms(slot: int, interval: int) -> int:
    """When a slot begins, UTC milliseconds of market time."""
    return slot * interval * 1000


LATE_SHARE = 0.1  # of the interval: news that old are no news any more
LATE_MOST_S = 300  # market seconds: nor are those of five minutes ago, however long the candle
LATE_LEAST_WALL_S = 5  # wall seconds: at high speed the machine needs this much to get round at all


def grace_ms(interval: int, speed: float) -> int:
    """How long a slot's candle may be awaited, and its signal acted on: market milliseconds.

    A tenth of the interval (seconds) or five minutes of market time, the shorter; but never less than five seconds of
    wall time.
    """
    return round(max(min(LATE_SHARE * interval, LATE_MOST_S), LATE_LEAST_WALL_S * speed) * 1000)
