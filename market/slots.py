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
