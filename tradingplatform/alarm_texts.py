"""What keeps entries from happening, in words, with the command that ends it. PURE."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tradingplatform.halt_remedies import REASON, remedy
from tradingplatform.typed import make, manage


def switch_text(switch: Mapping[str, Any], var: Path) -> str:
    """The state of the dead man's switch (see ``alarms.switch_state``)."""
    stage, check_in = switch["stage"], manage("checkin", var)
    if stage == "MISSING":
        return f"MISSING, nothing may enter: stop the platform, then {make('run', var)}"
    if stage == "TRIGGERED":
        return f"TRIGGERED, nothing may enter: {manage(f'reset_switch {REASON} --confirm RESET', var)}"
    if stage == "OK":
        return f"armed, {span(switch['seconds_left'])} left ({check_in})"
    return f"{stage}, {span(switch['seconds_left'])} left: {check_in}"


def halt_text(halt: Mapping[str, Any], var: Path) -> str:
    """One halt in force (see ``alarms.halts_in_force``)."""
    command = remedy(halt)
    end = manage(command, var) if command else f"over at {halt['until'][:16]} UTC of market time"
    sells = ", sells what is held" if halt["closes"] else ""
    return f"{halt['scope']}: {halt['text']} ({halt['cause']}, {halt['raised_at'][:16]} UTC{sells}): {end}"


def condition_text(condition: Mapping[str, str]) -> str:
    """Something that lasts (see ``alarms.conditions_lasting``)."""
    return f"{condition['text']} (since {condition['began_at'][11:19]} UTC)"


def heartbeats_text(ages_s: Mapping[str, float | None]) -> str:
    """When those who keep watch were last heard of (see ``heartbeats.ages_s``)."""
    return ", ".join(f"{name} {'NEVER' if age is None else f'{span(age)} ago'}" for name, age in ages_s.items())


def span(seconds: float) -> str:
    """How long, in the unit that a person would use."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
