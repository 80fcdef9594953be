"""A range of whole UTC days, as it is asked for and as it is filtered. PURE."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta


@dataclass(frozen=True, slots=True)
class Days:
    """From the first to the last UTC day, both inside; None: open at that end."""

    first: date | None = None
    last: date | None = None

    @property
    def begins_at(self) -> datetime | None:
        """The first moment inside."""
        return None if self.first is None else midnight(self.first)

    @property
    def ends_at(self) -> datetime | None:
        """The first moment after it."""
        return None if self.last is None else midnight(self.last + timedelta(days=1))


def asked_days(first: str, last: str) -> Days:
    """The days typed as YYYY-MM-DD; empty for an open end. Raises ValueError, which says what is wrong."""
    days = Days(_day(first, "from"), _day(last, "to"))
    if days.first is not None and days.last is not None and days.first > days.last:
        raise ValueError(f"'from' {days.first} is after 'to' {days.last}: exchange them")
    return days


def presets(now: datetime) -> list[tuple[str, Days]]:
    """What is asked for most, by name, as it is at ``now``; each ends with the day that runs."""
    today = now.astimezone(UTC).date()
    return [
        ("Today", Days(today, today)),
        ("7 days", Days(today - timedelta(days=6), today)),
        ("30 days", Days(today - timedelta(days=29), today)),
        ("This month", Days(today.replace(day=1), today)),
    ]


def _day(text: str, name: str) -> date | None:
    text = text.strip()
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"'{name}' {text[:20]!r} is not a day: write YYYY-MM-DD") from None
    if day == date.max:
        raise ValueError(f"'{name}' {text!r} has no day after it")
    return day


def midnight(day: date) -> datetime:
    """The moment at which a UTC day begins."""
    return datetime.combine(day, time.min, tzinfo=UTC)
