"""How close the dead man's switch is to closing. PURE: wall-clock moments in, a stage out.

A missing or unreadable row is the caller's case: it means TRIGGERED.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

WARNING_PERCENT = 83  # of 24 h: 19 h 55 m 12 s
CRITICAL_PERCENT = 96  # of 24 h: 23 h 02 m 24 s

SHORTEST, LONGEST = timedelta(minutes=1), timedelta(days=7)
"""Timeouts that may be set: minutes for a rehearsal, and never so long that nobody would miss the operator."""


class Stage(StrEnum):
    """What the silence since the last check-in means."""

    OK = "OK"  # checked in recently
    WARNING = "WARNING"  # 83 % of the time is gone: remind the operator
    CRITICAL = "CRITICAL"  # 96 % is gone: alert on every channel
    TRIGGERED = "TRIGGERED"  # the time is gone: no new exposure until an explicit reset


@dataclass(frozen=True, slots=True)
class Deadlines:
    """The first moment (to the microsecond) of each stage."""

    warning_at: datetime
    critical_at: datetime
    triggered_at: datetime


def stage(now: datetime, last_checkin_at: datetime, timeout: timedelta) -> Stage:
    """The stage at ``now``, each threshold included. A check-in after ``now`` (a clock stepped back) reads as OK:
    guarding the clock is its reader's business.

    Raises ValueError for a naive datetime and for a timeout that is not positive.
    """
    _require_aware("now", now)
    due = deadlines(last_checkin_at, timeout)
    if now >= due.triggered_at:
        return Stage.TRIGGERED
    if now >= due.critical_at:
        return Stage.CRITICAL
    if now >= due.warning_at:
        return Stage.WARNING
    return Stage.OK


def deadlines(last_checkin_at: datetime, timeout: timedelta) -> Deadlines:
    """When each stage begins if nobody checks in again. Raises ValueError as ``stage`` does."""
    _require_aware("last_checkin_at", last_checkin_at)
    if timeout <= timedelta(0):
        raise ValueError(f"the timeout must be positive, not {timeout}")
    return Deadlines(
        warning_at=last_checkin_at + _part(timeout, WARNING_PERCENT),
        critical_at=last_checkin_at + _part(timeout, CRITICAL_PERCENT),
        triggered_at=last_checkin_at + timeout,
    )


def _part(timeout: timedelta, percent: int) -> timedelta:
    """Whole microseconds, rounded up: integers, so the thresholds are exact."""
    return -(-timeout * percent // 100)


def _require_aware(name: str, value: datetime) -> None:
    if value.tzinfo is None:
        raise ValueError(f"{name} must be an aware datetime, not {value}")
