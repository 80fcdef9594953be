"""What a person should hear when a platform goes on that was set up before. Read from the database; asks no exchange.

What needs Django is imported inside: the launcher sets it up on the way.
"""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from pathlib import Path

from tradingplatform.typed import make


def warm_lines(var: Path, fleet_file: Path, wall_at: datetime) -> Iterator[str]:
    """The operator's name, and what is not as it should be. A start never fails for what it has to tell."""
    yield f"User operator; lost the password: {make('password', var)}"
    for look in (partial(_switch, var, wall_at), partial(_fleet, var, fleet_file)):
        try:
            line = look()
        except Exception:
            continue  # it is told elsewhere too, and by those whose business it is
        if line:
            yield line


def _switch(var: Path, wall_at: datetime) -> str:
    from tradingplatform.alarm_texts import switch_text
    from tradingplatform.alarms import switch_state

    switch = switch_state(wall_at)
    return "" if switch["stage"] == "OK" else f"Dead man's switch {switch_text(switch, var)}"


def _fleet(var: Path, fleet_file: Path) -> str:
    from tradingplatform.fleet.load import plan_fleet
    from tradingplatform.fleet.problems import BadFleet
    from tradingplatform.fleet.read import read_fleet
    from tradingplatform.fleet.source import read_source
    from tradingplatform.launcher.any_symbol import AnySymbol

    try:
        plan = plan_fleet(read_fleet(read_source(fleet_file), fleet_file.name, AnySymbol()))
    except BadFleet:
        return f"{fleet_file.name} cannot be loaded as it is: {make('fleet', var)} says why, once this is up"
    return "" if plan.is_empty else f"{fleet_file.name} differs from what runs: {make('fleet', var)}, once this is up"
