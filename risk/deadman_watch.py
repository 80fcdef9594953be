"""What the watch over the dead man's switch tells, so that a warning needs no order to be seen.

Beat's task and the guard both come here, every few seconds: each stage, alarm and condition is told once, whoever is
first, so that neither of them is missed when it is dead.
"""

from datetime import timedelta

from market.clock import Now
from notifications.conditions import review
from notifications.events import publish
from notifications.models import Event, Severity
from risk.clock_guard import BACK_LIMIT, why_back
from risk.deadman import (
    MACHINE,
    clock_problem,
    find_switch,
    keep_high_water,
    pull,
    stage_of,
    suspect_clock,
)
from risk.deadman_stage import Stage, deadlines
from risk.event_kinds import (
    CLOCK_WENT_BACK,
    DEAD_MAN_UNREADABLE,
    SWITCH_NOT_DRILLED,
    DeadManCritical,
    DeadManStillTriggered,
    DeadManWarning,
)
from risk.halts import raise_halt
from risk.models import DeadMansSwitch, Halt

ALARM_EVERY = timedelta(minutes=15)
"""Between two alarms of a switch that has triggered, until it is reset."""

LEAP = timedelta(minutes=5)
"""Since the latest look on record; after a longer gap the clock may have jumped, and the guard has to see it first."""

DRILL_EVERY = timedelta(days=35)
"""How long a drill is believed to show that the switch works."""

FLATTEN = "dead_mans_switch"
"""The cause of the halt that sells what is held."""

TOLD = {Stage.WARNING: (DeadManWarning, Severity.WARNING), Stage.CRITICAL: (DeadManCritical, Severity.CRITICAL)}
"""The stages before the last one that are told, and how."""

SWITCH = "dead man's switch"


def watch(now: Now) -> Stage:
    """Tell what has begun or ended since the last look, and latch when the time is gone. Call it in a transaction."""
    triggered = pull(now)
    switch = find_switch()
    times = {"market_at": now.market_at, "wall_at": now.wall_at}
    told, over = _why_unreadable(switch), "The dead man's switch can be read"
    review(DEAD_MAN_UNREADABLE, SWITCH, told, over, severity=Severity.CRITICAL, **times)
    if switch is None:
        return Stage.TRIGGERED
    keep_high_water(switch, now)
    _review_clock(switch, now)
    told, over = _why_not_drilled(switch, now), "The switch was drilled"
    review(SWITCH_NOT_DRILLED, SWITCH, told, over, severity=Severity.WARNING, **times)
    if triggered:
        _alarm_again(switch, now)
        _flatten(switch, now)
        return Stage.TRIGGERED
    return _tell_stage(switch, now)


def _why_unreadable(switch: DeadMansSwitch | None) -> str:
    return "the dead man's switch is missing or cannot be read: nothing enters" if switch is None else ""


def _tell_stage(switch: DeadMansSwitch, now: Now) -> Stage:
    due = deadlines(switch.last_checkin_at, timedelta(seconds=switch.timeout_s))
    present = stage_of(switch, now.wall_at)
    row = DeadMansSwitch.objects.filter(pk=switch.pk, latched_at=None)
    begun = row.exclude(told_stage=present).update(told_stage=present)
    if begun and present in TOLD:
        kind, severity = TOLD[present]
        publish(
            kind(switch.last_checkin_at, due.triggered_at),
            f"nobody has checked in: entries stop at {due.triggered_at:%Y-%m-%d %H:%M} UTC unless somebody does",
            severity=severity,
            market_at=now.market_at,
            wall_at=now.wall_at,
        )
    return present


def _alarm_again(switch: DeadMansSwitch, now: Now) -> None:
    """Again and again, for as long as nobody resets it. A clock that was set back silences nothing."""
    last_at, latched_at = switch.alarmed_at, switch.latched_at
    if latched_at is None or (last_at is not None and abs(now.wall_at - last_at) < ALARM_EVERY):
        return
    row = DeadMansSwitch.objects.filter(pk=switch.pk, latched_at=latched_at, alarmed_at=last_at)
    if row.update(alarmed_at=now.wall_at):
        publish(
            DeadManStillTriggered(latched_at),
            f"the dead man's switch triggered at {latched_at:%Y-%m-%d %H:%M} UTC: nothing enters until it is reset",
            severity=Severity.CRITICAL,
            market_at=now.market_at,
            wall_at=now.wall_at,
        )


def _flatten(switch: DeadMansSwitch, now: Now) -> None:
    """Sell what is held, once for each trigger, where the operator had chosen so; never by a clock that is in doubt."""
    hours, latched_at = switch.flatten_after_h, switch.latched_at
    if hours is None or latched_at is None or now.wall_at - latched_at < timedelta(hours=hours) or clock_problem(now):
        return
    if now.wall_at - switch.high_water_at > LEAP:  # as it was before this look: the next one follows within seconds
        return
    if Halt.objects.filter(account=None, cause=FLATTEN, raised_at__gte=latched_at).exists():
        return
    text = f"the dead man's switch triggered {hours} h ago and nobody came: everything is sold, as was chosen"
    figures = {"flatten_after_h": str(hours), "latched_at": latched_at.isoformat()}
    raise_halt(None, None, FLATTEN, text, figures, now, closes=True)


def _review_clock(switch: DeadMansSwitch, now: Now) -> None:
    """Tell that the clock went back, and when it has come to where it was. A check-in that lies in the future by the
    present clock was made by a wrong one: another has to follow."""
    why = why_back(now.wall_at, max(switch.high_water_at, switch.last_checkin_at))
    told = f"{why}: nothing enters until it is there again" if why else ""
    over = "This machine's clock is where it was"
    times = {"market_at": now.market_at, "wall_at": now.wall_at}
    review(CLOCK_WENT_BACK, MACHINE, told, over, severity=Severity.CRITICAL, **times)
    if switch.last_checkin_at - now.wall_at > BACK_LIMIT:
        suspect_clock("the last check-in lies in the future", now)


def _why_not_drilled(switch: DeadMansSwitch, now: Now) -> str:
    last_at = switch.drilled_at
    if last_at is None:  # the log begins with the installation
        last_at = Event.objects.order_by("pk").values_list("wall_at", flat=True).first()
    if last_at is None or now.wall_at - last_at <= DRILL_EVERY:
        return ""
    return f"the dead man's switch was not drilled for {DRILL_EVERY.days} days: whether it works is not known (`drill`)"
