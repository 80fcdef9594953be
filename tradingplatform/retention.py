"""What of the past is kept whole, what is thinned out, and when. PURE.

Whatever is not in the table is kept for ever: trades, orders, positions, capital changes, paper orders, the audit
trail, changes of limits, halts, every decision that led to something or that an order refers to, and every event but
those named here.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from market.clock import Now

CONDITIONS_DAYS = 400
"""An ended condition outlives the same day of the next year."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of rows: which of them are thinned out, what is left, and after how many days of which clock."""

    kind: str
    what: str
    left: str
    clock: str
    least_days: int = 0

    def days(self, retention_days: int) -> int:
        """After so many days, when everything is kept whole for ``retention_days``."""
        return max(self.least_days, retention_days)


DECISIONS = Rule("decisions", "NOTHING and SKIPPED without an order", "the last of each bot and hour", "market")
SNAPSHOTS = Rule("snapshots", "equity of bots and accounts", "the last of each bot or account and hour", "market")
SIGNALS = Rule("signals", "events of signals", "none: the decision they came with is kept and says the same", "market")
CONDITIONS = Rule(
    "conditions", "those that ended", "none: the events of their begin and end are kept", "wall", CONDITIONS_DAYS
)

RULES = (DECISIONS, SNAPSHOTS, SIGNALS, CONDITIONS)


def before(rule: Rule, now: Now, retention_days: int) -> datetime:
    """What is older than this, on the rule's clock, is thinned out. A whole hour: the last row of an hour is its last
    one for ever."""
    now_at = now.market_at if rule.clock == "market" else now.wall_at
    return hour_of(now_at) - timedelta(days=rule.days(retention_days))


def kept_whole_since(now: Now, retention_days: int) -> datetime:
    """Market time from which on every decision is there."""
    return before(DECISIONS, now, retention_days)


def hour_of(at: datetime) -> datetime:
    """The beginning of its hour."""
    return at.replace(minute=0, second=0, microsecond=0)


def superfluous(rows: Iterable[tuple[int, object, datetime]]) -> list[int]:
    """The ids of all rows but the last of each owner and hour. ``rows`` are (id, owner, time); of one time the higher
    id is the later."""
    last: dict[tuple[object, datetime], tuple[datetime, int]] = {}
    gone: list[int] = []
    for pk, owner, at in rows:
        key = (owner, hour_of(at))
        known = last.get(key)
        if known is None or known < (at, pk):
            last[key] = (at, pk)
        if known is not None:
            gone.append(min(known, (at, pk))[1])
    return gone
