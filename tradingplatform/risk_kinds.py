"""Which events tell of risk: refused entries, breakers, halts, the dead man's switch and limits. PURE."""

from collections.abc import Mapping
from typing import Any, NamedTuple

_LASTING = ("dead_man_unreadable", "switch_not_drilled", "clock_jumped", "clock_went_back")

RISK_KINDS: Mapping[str, tuple[str, ...]] = {
    "Refused entries": ("risk_refused",),
    "Breakers and halts": ("halt_raised", "halt_closes", "halt_cleared"),
    "Bots halted and resumed": ("bot_halted", "bot_reset", "bot_paused", "bot_resumed"),
    "Dead man's switch": (
        "dead_man_warning",
        "dead_man_critical",
        "dead_man_triggered",
        "dead_man_still_triggered",
        "dead_man_reset",
        "dead_man_changed",
        "dead_man_drill_passed",
        "dead_man_drill_failed",
        "checked_in",
        "checkin_refused",
        *_LASTING,
        *(f"{kind}_ended" for kind in _LASTING),
    ),
    "Limits": ("limit_changed", "limit_change_waits", "limit_change_withdrawn"),
}
"""By what an operator looks for."""

ALL_RISK_KINDS = frozenset(kind for kinds in RISK_KINDS.values() for kind in kinds)

FIGURES = (("check", "limit", "value"), ("limit", "to", ""), ("cause", "", ""))
"""Where in a payload the check that failed, its limit and its value are. The first of these whose first is there holds:
what a check refused or a breaker halted; a limit that was changed; the cause of any other halt. The page has the same
table for what comes live."""

DIGITS = 4
"""Behind the point; the event's own page has every digit."""


class Figures(NamedTuple):
    """What was measured against what, for people; empty where an event has no such thing."""

    check: str = ""
    limit: str = ""
    value: str = ""


def figures_of(payload: Any) -> Figures:
    """Of one event. A payload that is no object has none."""
    if not isinstance(payload, Mapping):
        return Figures()
    for keys in FIGURES:
        if payload.get(keys[0]):
            return Figures(*(brief(payload.get(key, "") if key else "") for key in keys))
    return Figures()


def brief(value: Any) -> str:
    """A figure with a few digits behind the point, cut and not rounded: it may be a share of a limit that is just not
    reached. Anything else stays as it is."""
    text = "" if value is None else str(value)
    whole, point, digits = text.partition(".")
    if point and digits.isdigit() and whole.lstrip("-").isdigit() and len(digits) > DIGITS:
        return f"{whole}.{digits[:DIGITS]}…"
    return text
