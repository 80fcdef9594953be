"""Why there was no tick in a slot, from what the rows say. PURE."""

from dataclasses import dataclass
from datetime import datetime

SNAPSHOTS_S = 150
"""Wall seconds without a snapshot of any account, one of which is due every 60, after which nothing was running."""

RESTED_S = 5
"""Wall seconds for which market time must have stood still to say that the platform was off."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a slot without a decision. All times are market time.

    ``due_at`` is when the bot should have ticked, ``late_at`` when that was too late to enter. ``status`` is the bot's
    when it was due ("" where no event tells), ``moved`` the event that made it so. ``before`` and ``after`` are the
    decisions of any bot next to ``due_at``, ``others`` how many there are from then to the slot's end and ``others_at``
    the last of them; ``seen_before`` and ``seen_after`` the same for the snapshots of accounts. ``rested_s``: how long
    market time stood still between ``before`` and ``after``, wall seconds. What is older than ``kept_since`` has been
    thinned out.
    """

    begins_at: datetime
    ends_at: datetime
    due_at: datetime
    late_at: datetime
    now_at: datetime
    speed: float
    ticking: bool
    claimed: bool
    created_at: datetime | None
    status: str
    moved: str
    moved_at: datetime | None
    started_in_it: bool
    before: datetime | None
    after: datetime | None
    others: int
    others_at: datetime | None
    seen_before: datetime | None
    seen_after: datetime | None
    rested_s: float
    kept_since: datetime


def why_no_tick(facts: Facts) -> str:
    """One clause, to follow "did not tick at ...:"."""
    if facts.now_at < facts.begins_at:
        return f"the slot is still to come (market time is {_at(facts.now_at)})"
    return _not_in_service(facts) or _under_way(facts) or _missed(facts)


def _not_in_service(facts: Facts) -> str:
    if facts.created_at is not None and facts.ends_at <= facts.created_at:
        return f"the bot did not exist yet, it was created at {_at(facts.created_at)}"
    if facts.status != "STOPPED" or facts.started_in_it:
        return ""
    if facts.moved_at is None:
        return "the bot was STOPPED: it had not been started"
    return f"the bot was STOPPED since {_at(facts.moved_at)} ({facts.moved})"


def _under_way(facts: Facts) -> str:
    if facts.ticking:
        return "it is ticking at this moment: ask again"
    if facts.now_at < facts.due_at:
        return f"it is still to come in this slot, at {_at(facts.due_at)}"
    if facts.now_at < facts.late_at and not facts.claimed:
        return f"it is due since {_at(facts.due_at)}, and its message is on the way: ask again"
    return ""


def _missed(facts: Facts) -> str:
    if facts.ends_at <= facts.kept_since:
        return (
            f"no decision is kept. Before {_at(facts.kept_since)} those that led to something are kept, and one other"
            " an hour: in this slot it led to nothing, or did not tick"
        )
    if facts.others:
        much = f"other bots made {facts.others} decision{'s'[: facts.others > 1]} meanwhile, the last at"
        how = "its tick began and was killed, or could not be stored" if facts.claimed else "its message was lost"
        return f"{much} {_at(facts.others_at)}, so the platform was running; {how}: see log/trading.log"
    return _nobody(facts)


def _nobody(facts: Facts) -> str:
    if facts.before is None and facts.after is None:
        return "no bot has ever ticked"
    if facts.after is None:
        gap = f"no bot has ticked since {_at(facts.before)}"
    elif facts.before is None:
        gap = f"no bot ticked before {_at(facts.after)}"
    else:
        gap = f"no bot ticked between {_at(facts.before)} and {_at(facts.after)}"
    if facts.rested_s > RESTED_S:
        return f"{gap}: the platform was stopped and started again meanwhile"
    if _was_quiet(facts):
        return f"{gap}: the platform was not running"
    return f"{gap}, though the accounts' equity was kept meanwhile: see log/trading.log and log/beat.log"


def _was_quiet(facts: Facts) -> bool:
    if facts.seen_before is None or facts.seen_after is None:
        return True
    return (facts.seen_after - facts.seen_before).total_seconds() > SNAPSHOTS_S * facts.speed


def _at(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}"
