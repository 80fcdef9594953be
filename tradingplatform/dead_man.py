"""What a person does about the dead man's switch: each act is one transaction, told by an event and audited."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction

from bots import lifecycle
from bots.models import Bot, BotStatus
from notifications.events import publish
from notifications.models import AuditEntry, Severity
from risk import deadman
from risk.deadman_stage import LONGEST, SHORTEST, Stage, deadlines
from risk.models import DeadMansSwitch
from tradingplatform.acting import By
from tradingplatform.checkin_code import code_shown, is_code
from tradingplatform.event_kinds import CheckinRefused, DeadManChanged, OnSwitch
from tradingplatform.exposure import ShownExposure, shown_exposure

SWITCH = "dead man's switch"
RESET_CONFIRMATION = "RESET"
DRILL_PASSED = "drill_passed"
"""The audited act of a drill whose reset counts as a drill; it bears the time of its trigger."""

PAUSED_BECAUSE = "the dead man's switch was reset"
_UNREADABLE = (
    "the dead man's switch is missing or cannot be read: nothing may enter. `first_start` makes one where there is none"
)
_TRIGGERED = "the dead man's switch has triggered: a check-in does not reset it, `reset_switch` does"
_WRONG_CODE = (
    "this is not the code shown to you, or it was used, or it is older than ten minutes: look at the exposure again, "
    "and type the code beside it"
)
_REPLAYED = "this check-in is not newer than the one on record: nothing was extended"
_IN_FUTURE = (
    "the check-in on record lies in the future, made by a clock that was ahead: if the clock is right now, hold a "
    "drill (`drill`) and reset it (`reset_switch`), or wait until the clock has come past it"
)


@dataclass(frozen=True, slots=True)
class Challenge:
    """The switch as it stands, what a check-in answers for, and the code that it has to repeat.

    ``clock_problem``: why nothing enters although the switch has not triggered, empty when that is not so.
    """

    stage: Stage
    switch: DeadMansSwitch
    triggers_at: datetime
    seconds_left: int
    exposure: ShownExposure
    clock_problem: str
    code: str


def challenge(by: By) -> Challenge:
    """What to show before a check-in. An overdue switch triggers here. Raises ValueError when it cannot be read."""
    with transaction.atomic():
        deadman.pull(by.now)
        switch = read_switch()
        due = deadlines(switch.last_checkin_at, timedelta(seconds=switch.timeout_s))
        left = due.triggered_at - max(by.now.wall_at, switch.high_water_at)
        latched = switch.latched_at is not None
        return Challenge(
            stage=deadman.stage_of(switch, by.now.wall_at),
            switch=switch,
            triggers_at=due.triggered_at,
            seconds_left=0 if latched else max(0, int(left.total_seconds())),
            exposure=shown_exposure(),
            clock_problem=deadman.clock_problem(by.now),
            code=code_shown(switch.last_checkin_at, by.actor, by.now.wall_ms),
        )


def check_in(by: By, code: str, sent_at_ms: int | None = None) -> DeadMansSwitch:
    """A human is here, and has seen what is at stake: the switch begins its time anew, from when this was sent.

    ``sent_at_ms``: wall time at which a message was sent; None: now. Raises ValueError when it has triggered, for a
    code that was not shown, and for what was sent before the last check-in; a refusal is told and audited too.
    """
    with transaction.atomic():
        refusal = _check_in(by, code, by.now.wall_ms if sent_at_ms is None else sent_at_ms)
        if refusal:
            _tell(CheckinRefused, f"a check-in of {by.actor} was refused: {refusal}", Severity.WARNING, by)
            by.audit("checkin_refused", SWITCH, after={"refusal": refusal})
    if refusal:  # perhaps it triggered just now: the latch is committed, whatever is said here
        raise ValueError(refusal)
    return read_switch()


def reset_switch(by: By, latched_at: datetime | None = None) -> int:
    """Arm a triggered switch again. Every running bot is paused until it is resumed; returns how many it were.

    ``latched_at``: the trigger that this reset was meant for; None: the present one. Raises ValueError when it has not
    triggered, or has again since, and without a reason.
    """
    with transaction.atomic():
        _lock()
        deadman.pull(by.now)  # an overdue switch that nobody has asked yet triggers now, and is reset
        switch = read_switch()
        if switch.latched_at is None:
            raise ValueError("the dead man's switch has not triggered: there is nothing to reset")
        if latched_at is not None and latched_at != switch.latched_at:
            raise ValueError("the dead man's switch has triggered again since: look at it, and reset it anew")
        drilled = AuditEntry.objects.filter(action=DRILL_PASSED, wall_at=switch.latched_at).exists()
        deadman.reset(by.actor, by.reason, by.now, latched_at=switch.latched_at, drilled=drilled)
        paused = _pause_running(by)
        before = {"latched_at": switch.latched_at.isoformat(), "last_checkin_at": switch.last_checkin_at.isoformat()}
        by.audit("reset_switch", SWITCH, before=before, after={"drill": drilled, "paused": paused})
        return len(paused)


def set_timeout(by: By, timeout: timedelta) -> DeadMansSwitch:
    """How long may nobody check in. Longer is looser: whoever calls this had it confirmed. Raises ValueError.

    A switch that is overdue by the time before triggers first: it is not rescued by a longer one.
    """
    if not SHORTEST <= timeout <= LONGEST:
        raise ValueError(f"the timeout must be between {SHORTEST} and {LONGEST.days} days, not {timeout}")
    return _change(by, "set_timeout", timeout_s=int(timeout.total_seconds()))


def set_flatten_after(by: By, hours: int | None) -> DeadMansSwitch:
    """How many hours after a trigger everything is sold; None: never. Raises ValueError."""
    if hours is not None and not 1 <= hours <= 8760:
        raise ValueError(f"hours until everything is sold must be between 1 and 8760, not {hours}")
    return _change(by, "set_flatten_after", flatten_after_h=hours)


def read_switch() -> DeadMansSwitch:
    """The row. Raises ValueError when there is none that can be read."""
    switch = deadman.find_switch()
    if switch is None:
        raise ValueError(_UNREADABLE)
    return switch


def _check_in(by: By, code: str, sent_at_ms: int) -> str:
    """Why not; empty when it was credited."""
    _lock()
    deadman.pull(by.now)
    switch = deadman.find_switch()
    if switch is None:
        return _UNREADABLE
    if switch.latched_at is not None:
        return _TRIGGERED
    if not is_code(code, switch.last_checkin_at, by.actor, by.now.wall_ms):
        return _WRONG_CODE
    if not deadman.check_in(by.actor, sent_at_ms, by.now):
        return _IN_FUTURE if switch.last_checkin_at > by.now.wall_at else _REPLAYED
    after = read_switch()
    by.audit(
        "check_in",
        SWITCH,
        before={"last_checkin_at": switch.last_checkin_at.isoformat(), "by": switch.last_checkin_by},
        after={"last_checkin_at": after.last_checkin_at.isoformat()},
    )
    return ""


def _change(by: By, action: str, **columns: int | None) -> DeadMansSwitch:
    if not by.reason.strip():
        raise ValueError("the dead man's switch is changed for a reason: give one")
    with transaction.atomic():
        _lock()
        deadman.pull(by.now)
        switch = read_switch()
        before = {name: getattr(switch, name) for name in columns}
        DeadMansSwitch.objects.filter(pk=switch.pk).update(**columns)
        change = ", ".join(f"{name} from {before[name]} to {value}" for name, value in columns.items())
        _tell(DeadManChanged, f"{by.actor} changed the {SWITCH}: {change}: {by.reason}", Severity.WARNING, by)
        by.audit(action, SWITCH, before=before, after=columns)
    return read_switch()


def _pause_running(by: By) -> list[str]:
    """Their names. Nobody changes them meanwhile."""
    running = list(Bot.objects.select_for_update().filter(status=BotStatus.RUNNING).order_by("pk"))
    for bot in running:
        lifecycle.pause(bot, now=by.now, actor=by.actor, reason=PAUSED_BECAUSE)
    return [bot.name for bot in running]


def _lock() -> None:
    """Two acts on the switch come one after the other. No value is read: one may be unreadable."""
    list(DeadMansSwitch.objects.select_for_update().values_list("pk"))


def _tell(kind: type[OnSwitch], text: str, severity: Severity, by: By) -> None:
    payload = kind(actor=by.actor, reason=by.reason, address=by.address)
    publish(payload, text, severity=severity, market_at=by.now.market_at, wall_at=by.now.wall_at)
