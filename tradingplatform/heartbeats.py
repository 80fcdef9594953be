"""Who watches the watchers: when each of them last worked, as rows that anybody can read."""

from collections.abc import Iterator
from datetime import datetime

from market.clock import Now, moment
from notifications.models import Heartbeat

CHAIN, GUARD, RECONCILER = "beat", "guard", "reconciler"
"""From beat over the broker and a worker to the database; and the loops that look after what is held."""

NAMES = (CHAIN, GUARD, RECONCILER)
OLD_S = 90.0  # wall time after which a heartbeat is none


def beat(name: str, now: Now, sent_at_ms: int | None = None) -> None:
    """``name`` worked; ``sent_at_ms``: the wall time at which its first process began, None: now."""
    sent_at = now.wall_at if sent_at_ms is None else moment(sent_at_ms)
    Heartbeat.objects.update_or_create(name=name, defaults={"sent_at": sent_at, "wall_at": now.wall_at})


def ages_s(wall_at: datetime) -> dict[str, float | None]:
    """Wall seconds since each last began what it ended; None: it never did."""
    sent = dict(Heartbeat.objects.values_list("name", "sent_at"))
    return {name: round((wall_at - sent[name]).total_seconds(), 1) if name in sent else None for name in NAMES}


def why_old(wall_at: datetime) -> Iterator[str]:
    """A sentence for each that is not known to be alive. One from the future counts as old: the clock was set back."""
    for name, age_s in ages_s(wall_at).items():
        if age_s is None:
            yield f"{name} has no heartbeat"
        elif abs(age_s) > OLD_S:
            yield f"the heartbeat of {name} is {age_s:.0f} s old"
