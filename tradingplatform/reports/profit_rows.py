"""Closed positions of one account -> results by group, in one query."""

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from execution.models import Position
from execution.states import PositionStatus
from tradingplatform.reports.columns import InUtc, Listed, Seconds, decimals
from tradingplatform.reports.period import Period
from tradingplatform.reports.results import Result, result_of

GROUPS = {
    "bot": F("bot__name"),
    "strategy": F("bot__strategy"),
    "symbol": F("symbol"),
    "weekday": InUtc("closed_at", "weekday"),
    "hour": InUtc("closed_at", "hour"),
    "month": InUtc("closed_at", "month"),
    "exit": F("exit_reason"),
}
"""By what closed positions are told apart. A bot's strategy is the one it has now."""


def results_by(group: str, account_id: int, period: Period) -> dict[str, Result]:
    """Of the positions that were closed in the period, by group."""
    rows = (
        closed(account_id, period)
        .order_by()
        .values(key=GROUPS[group])
        .annotate(
            profits=Listed("realised"),
            paid=Listed("fees"),
            held_s=Coalesce(Sum(Seconds("closed_at") - Seconds("opened_at")), 0.0),
            number=Count("pk"),
        )
        .values_list("key", "profits", "paid", "held_s")
    )
    return {key: result_of(decimals(profits), decimals(paid), held_s) for key, profits, paid, held_s in rows}


def closed(account_id: int, period: Period) -> QuerySet[Position]:
    """Those that were closed in the period, market time."""
    inside = Q(status__exact=PositionStatus.CLOSED, account_id=account_id)
    if period.since is not None:
        inside &= Q(closed_at__gte=period.since)
    if period.until is not None:
        inside &= Q(closed_at__lt=period.until)
    return Position.objects.filter(inside)
