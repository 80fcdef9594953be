"""Publishing: an event is a row in the caller's transaction, so it is true exactly when what it tells is."""

from datetime import datetime

import structlog
from django.conf import settings
from django.db import connection

from notifications.kinds import Payload
from notifications.models import Event, Severity
from notifications.plain import Json, as_far_as_possible, stored

log = structlog.get_logger()


def publish(
    payload: Payload,
    text: str,
    *,
    market_at: datetime,
    wall_at: datetime,
    bot_id: int | None = None,
    severity: Severity = Severity.INFO,
) -> Event:
    """Write an event into the running transaction; its kind is the payload's.

    Raises RuntimeError outside one: it could outlive a rollback. Raises plain.Unfit under STRICT_EVENTS only.
    """
    if not connection.in_atomic_block:
        raise RuntimeError(f"event {payload.kind!r} published outside a transaction")
    return Event.objects.create(
        kind=payload.kind or type(payload).__name__,
        severity=severity,
        bot_id=bot_id,
        text=text[:500],
        payload=_stored(payload),
        market_at=market_at,
        wall_at=wall_at,
    )


def _stored(payload: Payload) -> dict[str, Json]:
    """The order or halt in whose transaction we are must not be lost because its event is not as it should be."""
    try:
        return stored(payload)
    except Exception as error:  # Unfit, or a value that cannot even be looked at
        if settings.STRICT_EVENTS:
            raise
        log.error("event_unfit", kind=payload.kind, error=f"{type(error).__name__}: {error}")
        return as_far_as_possible(payload)
