"""What keeps entries from happening, as plain values: the dead man's switch, the halts in force, what lasts."""

from datetime import datetime, timedelta
from typing import Any

from notifications.conditions import lasting
from risk.deadman import find_switch, stage_of
from risk.deadman_stage import Stage, deadlines
from risk.models import Halt

MISSING = "MISSING"


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


def halts_in_force() -> list[dict[str, str]]:
    """Accounts first, then bots; the oldest first."""
    halts = Halt.objects.filter(cleared_at=None).select_related("account", "bot").order_by("pk")
    told = [
        {
            "scope": halt.scope,
            "cause": halt.cause,
            "text": halt.text,
            "raised_at": halt.raised_at.isoformat(),
        }
        for halt in halts
    ]
    return sorted(told, key=lambda halt: halt["scope"].startswith("bot "))


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
