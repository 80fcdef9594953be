"""Things that last: one event when they begin, one when they end, and a row in between."""

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from notifications.events import publish
from notifications.kinds import Lasting
from notifications.models import Condition, Severity


@transaction.atomic
def begin(
    kind: Lasting,
    subject: str,
    text: str,
    *,
    severity: Severity = Severity.WARNING,
    market_at: datetime,
    wall_at: datetime,
) -> bool:
    """It is so from now on: the event ``kind``, unless it was so already. In the caller's transaction, if there is one.

    Returns whether it has just begun.
    """
    _, begun = Condition.objects.get_or_create(
        kind=kind,
        subject=subject,
        ended_at=None,
        defaults={"text": text[:500], "severity": severity, "began_at": wall_at},
    )
    if begun:
        publish(kind.began(subject), text, severity=severity, market_at=market_at, wall_at=wall_at)
    return begun


@transaction.atomic
def end(kind: Lasting, subject: str, text: str, *, market_at: datetime, wall_at: datetime) -> bool:
    """It is no longer so: the event ``kind``_ended, if it was so. In the caller's transaction, if there is one.

    Returns whether it has just ended.
    """
    lasting = Condition.objects.filter(kind=kind, subject=subject, ended_at=None)
    began_at = lasting.values_list("began_at", flat=True).first()
    if began_at is None or lasting.update(ended_at=wall_at) != 1:
        return False
    lasted_s = round(max(0.0, (wall_at - began_at).total_seconds()), 1)
    publish(kind.ended(subject, lasted_s), f"{text} (after {lasted_s:g} s)", market_at=market_at, wall_at=wall_at)
    return True


def review(
    kind: Lasting, subject: str, text: str, over: str, *, severity: Severity, market_at: datetime, wall_at: datetime
) -> None:
    """It lasts while there is a ``text``; ``over`` tells that it is over."""
    if text:
        begin(kind, subject, text, severity=severity, market_at=market_at, wall_at=wall_at)
    else:
        end(kind, subject, over, market_at=market_at, wall_at=wall_at)


def lasting(kind: str | None = None) -> QuerySet[Condition]:
    """What is so now, the oldest first."""
    rows = Condition.objects.filter(ended_at=None).order_by("pk")
    return rows if kind is None else rows.filter(kind=kind)
