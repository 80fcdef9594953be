"""The candle intervals served, all of which divide a UTC day."""

from __future__ import annotations

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

#: Binance's interval names and their length in milliseconds, ascending. Weeks and months are left out: they do not
#: start on multiples of their own length since 1970.
TIMEFRAMES: dict[str, int] = {
    "1m": MINUTE_MS,
    "3m": 3 * MINUTE_MS,
    "5m": 5 * MINUTE_MS,
    "15m": 15 * MINUTE_MS,
    "30m": 30 * MINUTE_MS,
    "1h": HOUR_MS,
    "2h": 2 * HOUR_MS,
    "4h": 4 * HOUR_MS,
    "6h": 6 * HOUR_MS,
    "8h": 8 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
}


def floor_to(ms: int, length_ms: int) -> int:
    """Start of the bucket of ``length_ms`` that holds the instant ``ms``."""
    return ms - ms % length_ms
