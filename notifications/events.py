"""Publishing: an event is a row in the caller's transaction, so it is true exactly when what it tells is."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection

from notifications.models import Event, Severity


def publish(
    kind: str,
    text: str,
    *,
    market_at: datetime,
    wall_at: datetime,
    bot_id: int | None = None,
    severity: Severity = Severity.INFO,
    payload: Mapping[str, Any] | None = None,
) -> Event:
    """Write an event into the running transaction. Raises RuntimeError outside one: it could outlive a rollback."""
    if not connection.in_atomic_block:
        raise RuntimeError(f"event {kind!r} published outside a transaction")
    return Event.objects.create(
        kind=kind,
        severity=severity,
        bot_id=bot_id,
        text=text[:500],
        payload=dict(payload or {}),
        market_at=market_at,
        wall_at=wall_at,
    )
