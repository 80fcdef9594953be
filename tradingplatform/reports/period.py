"""Which stretch of market time a report is about. PURE."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from notifications.lists.days import midnight

FIRST_YEAR, LAST_YEAR = 2000, 9998
MOST_DAYS = 36_600


@dataclass(frozen=True, slots=True)
class Period:
    """From ``since`` (inside) to ``until`` (outside), midnights of market time in UTC; None: no end on that side."""

    label: str
    since: datetime | None = None
    until: datetime | None = None


ALL = Period("since the beginning")


def last_days(number: int, today: date) -> Period:
    """So many UTC days, today's counted as one of them. Raises ValueError."""
    if not 1 <= number <= MOST_DAYS:
        raise ValueError(f"{number} days: give a number from 1 to {MOST_DAYS}")
    label = "today" if number == 1 else f"the last {number} days"
    return Period(label, since=midnight(today - timedelta(days=number - 1)))


def whole_year(year: int) -> Period:
    """One calendar year in UTC. Raises ValueError."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise ValueError(f"the year {year}: give one from {FIRST_YEAR} to {LAST_YEAR}")
    return Period(f"the year {year}", since=midnight(date(year, 1, 1)), until=midnight(date(year + 1, 1, 1)))
