"""What keeps entries from happening, as plain values: the dead man's switch, the halts in force, what lasts."""

from datetime import datetime, timedelta
from typing import Any

from market.clock import Now
from notifications.conditions import lasting
from risk.deadman import find_switch, stage_of
from risk.deadman_stage import Stage, deadlines
from risk.halts import in_force
from risk.models import Halt

MISSING = "MISSING"

_WIDTHS = ("everything", "account", "bot")


def switch_state(wall_at: datetime) -> dict[str, Any]:
    """The stage of the dead man's switch and the wall seconds until it triggers. Latches nothing."""
    switch = find_switch()
    if switch is None:
        return {"stage": MISSING, "seconds_left": None}
    if switch.latched_at is not None:
        return {"stage": Stage.TRIGGERED.value, "seconds_left": 0}
    seen_at, timeout = max(wall_at, switch.high_water_at), timedelta(seconds=switch.timeout_s)
    left = deadlines(switch.last_checkin_at, timeout).triggered_at - seen_at
    return {
        "stage": stage_of(switch, wall_at).value,
        "seconds_left": max(0, int(left.total_seconds())),
    }


def halts_in_force(now: Now) -> list[dict[str, Any]]:
    """Everything first, then accounts, then bots; the oldest first."""
    told = [halt_state(halt) for halt in in_force(now).select_related("account", "bot")]
    return sorted(told, key=lambda halt: _WIDTHS.index(halt["scope"].partition(" ")[0]))


def halt_state(halt: Halt) -> dict[str, Any]:
    """One halt. ``until``: the market time at which it ends by itself, None when somebody has to end it."""
    return {
        "scope": halt.scope,
        "cause": halt.cause,
        "text": halt.text,
        "closes": halt.closes,
        "raised_at": halt.raised_at.isoformat(),
        "until": halt.until.isoformat() if halt.until else None,
    }


def conditions_lasting() -> list[dict[str, str]]:
    """Trouble with the exchange and its data that lasts, the oldest first."""
    return [
        {
            "kind": condition.kind,
            "subject": condition.subject,
            "severity": condition.severity,
            "text": condition.text,
            "began_at": condition.began_at.isoformat(),
        }
        for condition in lasting()
    ]
