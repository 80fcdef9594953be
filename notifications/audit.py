"""The audit trail: one entry for each act of an operator, in the transaction of what it did."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from notifications.models import AuditEntry


def audit(
    action: str,
    subject: str,
    *,
    actor: str,
    address: str,
    market_at: datetime,
    wall_at: datetime,
    reason: str = "",
    bot_id: int | None = None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Write who did what, from where, what it was before and is after, and why. Money as exact strings.

    Raises RuntimeError outside a transaction: it could outlive a rollback.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"act {action!r} audited outside a transaction")
    return AuditEntry.objects.create(
        action=action,
        subject=subject[:128],
        actor=actor,
        address=address,
        bot_id=bot_id,
        before=dict(before or {}),
        after=dict(after or {}),
        reason=reason[:300],
        market_at=market_at,
        wall_at=wall_at,
    )
