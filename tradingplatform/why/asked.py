"""Which moment is meant: a time as a person types it. PURE."""

import re
from datetime import UTC, datetime, timedelta

FORMS = "2026-11-24T03:00 (UTC), 03:00 (the last such time), or -2h (also -30m, -1d, -1h30m)"
"""What may be typed."""

_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_AGO = re.compile(r"-?((?:\d+[dhms])+)")
_OF_DAY = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")


def read_time(text: str, now_at: datetime) -> datetime:
    """The moment that ``text`` names, on the clock that ``now_at`` was read from. Raises ValueError, with what is
    allowed."""
    text = text.strip()
    try:
        if ago := _AGO.fullmatch(text):
            return now_at - _span(ago[1])
        if of_day := _OF_DAY.fullmatch(text):
            return _last_such(now_at, *(int(part or 0) for part in of_day.groups()))
        read = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise ValueError(f"{text!r} is not a time: give {FORMS}") from None
    return read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)


def _span(text: str) -> timedelta:
    parts = re.findall(r"(\d+)([dhms])", text)
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def _last_such(now_at: datetime, hour: int, minute: int, second: int) -> datetime:
    today = now_at.replace(hour=hour, minute=minute, second=second, microsecond=0)
    return today if today <= now_at else today - timedelta(days=1)
