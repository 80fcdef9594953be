"""Market time and wall time of the past.

The clock's anchor is of the last start: what was before it is read off the decisions, which carry both times.
"""

from datetime import datetime, timedelta

from market.clock import Clock, moment, ms_of
from risk.models import Decision


def wall_of(market_at: datetime, clock: Clock) -> tuple[datetime | None, bool]:
    """The wall time at a market time, and whether it is exact; None where nothing is known of it."""
    if ms_of(market_at) >= clock.origin_market_ms:
        return moment(clock.wall_ms(ms_of(market_at))), True
    rows = Decision.objects.order_by().values_list("market_at", "wall_at")
    before = rows.filter(market_at__lte=market_at).order_by("market_at").last()
    after = rows.filter(market_at__gt=market_at).order_by("market_at").first()
    return _between(market_at, before, after, 1 / clock.speed), False


def market_of(wall_at: datetime, clock: Clock) -> datetime | None:
    """The market time at a wall time; None where nothing is known of it."""
    if ms_of(wall_at) >= clock.origin_wall_ms:
        return moment(clock.market_ms(ms_of(wall_at)))
    rows = Decision.objects.order_by().values_list("wall_at", "market_at")
    before = rows.filter(wall_at__lte=wall_at).order_by("market_at").last()
    after = rows.filter(wall_at__gt=wall_at).order_by("market_at").first()
    return _between(wall_at, before, after, clock.speed)


def _between(
    at: datetime, before: tuple[datetime, datetime] | None, after: tuple[datetime, datetime] | None, rate: float
) -> datetime | None:
    """The other clock at ``at``: on the line between two known pairs, or from the one there is at ``rate``."""
    if before is None or after is None:
        known = before or after
        return None if known is None else known[1] + (at - known[0]) * rate
    share = (at - before[0]) / (after[0] - before[0]) if after[0] > before[0] else 0.0
    return before[1] + max(after[1] - before[1], timedelta()) * share
