"""The dead man's switch as a row: read at the order gate, extended by a check-in, latched once it has triggered.

All times are wall time, and never earlier than the latest one ever seen: a clock set back extends nothing.
"""

from datetime import timedelta

from market.clock import Now
from notifications.events import publish
from notifications.models import Severity
from risk.deadman_stage import Stage, deadlines, stage
from risk.models import DeadMansSwitch

HIGH_WATER_STEP = timedelta(seconds=60)
"""How far the clock runs before the high-water mark is written again: the gate need not write at every order."""


def pull(now: Now) -> bool:
    """Whether the switch forbids new exposure. The first to see the deadline pass commits the latch.

    Call it inside the gate's transaction. A missing row means yes.
    """
    switch = DeadMansSwitch.objects.filter(pk=DeadMansSwitch.SINGLETON).first()
    if switch is None or switch.latched_at is not None:
        return True
    seen_at = max(now.wall_at, switch.high_water_at)
    if stage(seen_at, switch.last_checkin_at, timedelta(seconds=switch.timeout_s)) is Stage.TRIGGERED:
        _latch(switch, now)
        return True
    if seen_at - switch.high_water_at >= HIGH_WATER_STEP:
        DeadMansSwitch.objects.filter(pk=switch.pk, high_water_at__lt=seen_at).update(high_water_at=seen_at)
    return False


def watch(now: Now) -> Stage:
    """Tell each stage once, when it begins: what beat does, so that a warning needs no order to be seen.

    Call it in a transaction. A missing row counts as TRIGGERED, and is nobody's to tell.
    """
    if pull(now):
        return Stage.TRIGGERED
    switch = DeadMansSwitch.objects.get(pk=DeadMansSwitch.SINGLETON)
    due = deadlines(switch.last_checkin_at, timedelta(seconds=switch.timeout_s))
    present = stage(max(now.wall_at, switch.high_water_at), switch.last_checkin_at, timedelta(seconds=switch.timeout_s))
    begun = DeadMansSwitch.objects.filter(pk=switch.pk).exclude(told_stage=present).update(told_stage=present)
    if begun and present in (Stage.WARNING, Stage.CRITICAL):
        _tell(
            f"dead_man_{present.lower()}",
            f"nobody has checked in: entries stop at {due.triggered_at:%Y-%m-%d %H:%M} UTC unless somebody does",
            Severity.WARNING if present is Stage.WARNING else Severity.CRITICAL,
            now,
            {"last_checkin_at": switch.last_checkin_at.isoformat(), "triggers_at": due.triggered_at.isoformat()},
        )
    return present


def check_in(actor: str, sent_at_ms: int, now: Now) -> bool:
    """Credit a check-in sent at ``sent_at_ms`` (wall time). False when latched, or older than the one on record."""
    if pull(now):
        return False  # the time was gone before the check-in arrived
    sent = Now(min(sent_at_ms, now.wall_ms), now.market_ms).wall_at
    credited = DeadMansSwitch.objects.filter(latched_at=None, last_checkin_at__lt=sent).update(
        last_checkin_at=sent, last_checkin_by=actor, told_stage=Stage.OK
    )
    if credited:
        _tell("checked_in", f"{actor} checked in", Severity.INFO, now, {"actor": actor})
    return bool(credited)


def reset(actor: str, reason: str, now: Now) -> bool:
    """Unlatch a triggered switch and start its time anew. False when it was not latched. Raises ValueError without a
    reason."""
    if not actor or not reason.strip():
        raise ValueError("the switch is reset by somebody, for a reason: give both")
    unlatched = DeadMansSwitch.objects.filter(pk=DeadMansSwitch.SINGLETON, latched_at__isnull=False).update(
        latched_at=None,
        last_checkin_at=now.wall_at,
        last_checkin_by=actor,
        high_water_at=now.wall_at,
        told_stage=Stage.OK,
    )
    if unlatched:
        _tell(
            "dead_man_reset",
            f"{actor} reset the dead man's switch: {reason}",
            Severity.WARNING,
            now,
            {"actor": actor, "reason": reason},
        )
    return bool(unlatched)


def _latch(switch: DeadMansSwitch, now: Now) -> None:
    if DeadMansSwitch.objects.filter(pk=switch.pk, latched_at=None).update(latched_at=now.wall_at):
        _tell(
            "dead_man_triggered",
            f"nobody checked in for {switch.timeout_s // 3600} h: entries stop until the switch is reset",
            Severity.CRITICAL,
            now,
            {"last_checkin_at": switch.last_checkin_at.isoformat()},
        )


def _tell(kind: str, text: str, severity: Severity, now: Now, payload: dict[str, str]) -> None:
    publish(kind, text, severity=severity, payload=payload, market_at=now.market_at, wall_at=now.wall_at)
