"""The dead man's switch as a row: read at the order gate, extended by a check-in, latched once it has triggered.

All times are wall time, and never earlier than the latest one ever seen: a clock set back extends nothing.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import BooleanField, ExpressionWrapper, Q

from market.clock import Now
from notifications.conditions import begin, end
from notifications.events import publish
from notifications.kinds import Payload
from notifications.models import Severity
from risk.clock_guard import why_back
from risk.deadman_stage import LONGEST, SHORTEST, Stage, deadlines, stage
from risk.event_kinds import CLOCK_JUMPED, CheckedIn, DeadManReset, DeadManTriggered
from risk.models import DeadMansSwitch

HIGH_WATER_STEP = timedelta(seconds=30)
"""How far the clock runs before the high-water mark is written again: the gate need not write at every order."""

MACHINE = "this machine"
"""What conditions of the clock are about."""


def find_switch() -> DeadMansSwitch | None:
    """The row; None where there is none, or one with a value that cannot be: then nothing enters."""
    try:
        rows = DeadMansSwitch.objects.annotate(is_latched=_is_set("latched_at"), is_suspect=_is_set("clock_suspect_at"))
        switch = rows.filter(pk=DeadMansSwitch.SINGLETON).first()
        if switch is None or bool(switch.is_suspect) is not (switch.clock_suspect_at is not None):
            return None
        return switch if _is_sound(switch, bool(switch.is_latched)) else None
    except (ArithmeticError, AttributeError, TypeError, ValueError):  # text where a time or a number should be
        return None


def _is_set(column: str) -> "ExpressionWrapper[Any]":
    """Whether anything is in the column, also what cannot be read."""
    return ExpressionWrapper(Q(**{f"{column}__isnull": False}), output_field=BooleanField())


def _is_sound(switch: DeadMansSwitch, is_latched: bool) -> bool:
    """Raises what a value that cannot be raises when it is used."""
    if is_latched is not (switch.latched_at is not None):
        return False  # a latch that cannot be read is a latch
    timeout = timedelta(seconds=switch.timeout_s)
    deadlines(switch.last_checkin_at, timeout)
    timedelta(hours=switch.flatten_after_h or 0)
    return SHORTEST <= timeout <= LONGEST and switch.high_water_at.tzinfo is not None


def stage_of(switch: DeadMansSwitch, now_at: datetime) -> Stage:
    """What the silence means at ``now_at``, or at the latest time ever seen where the clock is behind it."""
    if switch.latched_at is not None:
        return Stage.TRIGGERED
    return stage(max(now_at, switch.high_water_at), switch.last_checkin_at, timedelta(seconds=switch.timeout_s))


def present_stage(now_at: datetime) -> Stage:
    """What the gate would find now; latches nothing. Without a readable row: TRIGGERED."""
    switch = find_switch()
    return Stage.TRIGGERED if switch is None else stage_of(switch, now_at)


def pull(now: Now) -> bool:
    """Whether the switch forbids new exposure. The first to see the deadline pass commits the latch.

    Call it inside the gate's transaction. A missing or unreadable row means yes.
    """
    switch = find_switch()
    if switch is None or switch.latched_at is not None:
        return True
    if stage_of(switch, now.wall_at) is Stage.TRIGGERED:
        _latch(switch, f"nobody checked in for {span(switch.timeout_s)}", now)
        return True
    keep_high_water(switch, now)
    return False


def clock_problem(now: Now) -> str:
    """Why this machine's clock forbids new exposure, in words; empty when it does not."""
    switch = find_switch()
    if switch is None:
        return ""  # nothing enters anyhow
    if switch.clock_suspect_at is not None:
        return f"this machine's clock was seen to jump at {switch.clock_suspect_at:%Y-%m-%d %H:%M:%S} UTC: check in"
    return why_back(now.wall_at, max(switch.high_water_at, switch.last_checkin_at))


def check_in(actor: str, sent_at_ms: int, now: Now) -> bool:
    """Credit a check-in sent at ``sent_at_ms`` (wall time). False when latched, or older than the one on record."""
    if pull(now):
        return False  # the time was gone before the check-in arrived
    sent = Now(max(0, min(sent_at_ms, now.wall_ms)), now.market_ms).wall_at
    row = DeadMansSwitch.objects.filter(pk=DeadMansSwitch.SINGLETON)
    credited = row.filter(latched_at=None, last_checkin_at__lt=sent).update(
        last_checkin_at=sent, last_checkin_by=actor, told_stage=Stage.OK, clock_suspect_at=None
    )
    if credited:
        end(CLOCK_JUMPED, MACHINE, f"{actor} checked in", market_at=now.market_at, wall_at=now.wall_at)
        _tell(CheckedIn(actor), f"{actor} checked in", Severity.INFO, now)
    return bool(credited)


def reset(actor: str, reason: str, now: Now, *, latched_at: datetime, drilled: bool = False) -> bool:
    """Unlatch the switch that triggered at ``latched_at``, and start its time anew. False when it is not latched since
    then. ``drilled``: that trigger was a drill, which is passed now. Raises ValueError without a reason.
    """
    if not actor or not reason.strip():
        raise ValueError("the switch is reset by somebody, for a reason: give both")
    unlatched = DeadMansSwitch.objects.filter(pk=DeadMansSwitch.SINGLETON, latched_at=latched_at).update(
        latched_at=None,
        last_checkin_at=now.wall_at,
        last_checkin_by=actor,
        high_water_at=now.wall_at,
        told_stage=Stage.OK,
        alarmed_at=None,
        clock_suspect_at=None,
        **({"drilled_at": now.wall_at} if drilled else {}),
    )
    if unlatched:
        end(CLOCK_JUMPED, MACHINE, f"{actor} reset the switch", market_at=now.market_at, wall_at=now.wall_at)
        text = f"{actor} reset the dead man's switch: {reason}"
        _tell(DeadManReset(actor, reason, latched_at), text, Severity.WARNING, now)
    return bool(unlatched)


def trip(actor: str, now: Now) -> bool:
    """Trigger the switch now, for a drill. False when it has triggered, or cannot be read."""
    switch = find_switch()
    if switch is None or switch.latched_at is not None:
        return False
    return _latch(switch, f"DRILL by {actor}", now)


def suspect_clock(text: str, now: Now) -> None:
    """This machine's clock was seen to jump: nothing enters until somebody checks in. In a transaction."""
    row = DeadMansSwitch.objects.filter(pk=DeadMansSwitch.SINGLETON, clock_suspect_at=None)
    row.update(clock_suspect_at=now.wall_at)
    told = f"{text}: nothing enters until somebody has looked at it and checks in"
    at = {"market_at": now.market_at, "wall_at": now.wall_at}
    begin(CLOCK_JUMPED, MACHINE, told, severity=Severity.CRITICAL, **at)


def keep_high_water(switch: DeadMansSwitch, now: Now) -> None:
    """Remember how far the clock has come, now and then."""
    if now.wall_at - switch.high_water_at >= HIGH_WATER_STEP:
        row = DeadMansSwitch.objects.filter(pk=switch.pk, high_water_at__lt=now.wall_at)
        row.update(high_water_at=now.wall_at)


def span(seconds: int) -> str:
    """A timeout as people say it."""
    if seconds % 3600 == 0:
        return f"{seconds // 3600} h"
    return f"{seconds // 60} min" if seconds % 60 == 0 else f"{seconds} s"


def _latch(switch: DeadMansSwitch, why: str, now: Now) -> bool:
    latched = DeadMansSwitch.objects.filter(pk=switch.pk, latched_at=None).update(
        latched_at=now.wall_at, alarmed_at=now.wall_at, told_stage=Stage.TRIGGERED
    )
    if latched:
        text = f"{why}: entries stop until the dead man's switch is reset"
        _tell(DeadManTriggered(switch.last_checkin_at), text, Severity.CRITICAL, now)
    return bool(latched)


def _tell(payload: Payload, text: str, severity: Severity, now: Now) -> None:
    publish(payload, text, severity=severity, market_at=now.market_at, wall_at=now.wall_at)
