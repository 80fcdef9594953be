"""Which kinds of events are worth a message, and how loud. PURE."""

from collections.abc import Mapping
from enum import StrEnum

import tradingplatform.event_kinds  # noqa: F401  (after it every kind is known)
from notifications.kinds import why_unknown

SEVERITIES = ("INFO", "WARNING", "CRITICAL")


class Volume(StrEnum):
    """How an event of a kind is told."""

    ON = "on"  # with a sound
    SILENT = "silent"  # without one
    OFF = "off"  # not at all


USUAL: Mapping[str, Volume] = {
    # what a fleet of 45 does all day: the position's own events say what came of it
    "signal": Volume.OFF,
    "order_placed": Volume.OFF,
    "order_accepted": Volume.OFF,
    "order_partly_filled": Volume.OFF,
    "order_filled": Volume.OFF,
    "order_canceled": Volume.OFF,
    "position_changed": Volume.OFF,
    "risk_refused": Volume.OFF,
    "breaker_fired": Volume.OFF,  # halt_raised tells it
    "tick_failed": Volume.SILENT,
    # done by somebody who knows it
    "checked_in": Volume.SILENT,
    "bot_created": Volume.SILENT,
    "reconciled": Volume.SILENT,
    "position_opened": Volume.SILENT,
    "telegram_refused": Volume.SILENT,
    # a normal day's, and wanted all the same
    "position_closed": Volume.ON,
    "order_resolved": Volume.ON,  # somebody was woken by order_unknown
    "halt_cleared": Volume.ON,
    "dead_man_reset": Volume.ON,
}
"""Of kinds that are not here: ON, but without a sound where the severity is INFO."""

BY_SEVERITY = "by severity"


def read_volumes(text: str) -> dict[str, Volume]:
    """``position_opened=off, signal=on``. Raises ValueError naming what does not fit."""
    volumes: dict[str, Volume] = {}
    for word in text.replace(",", " ").split():
        kind, _, volume = word.partition("=")
        if not kind or volume not in list(Volume):
            raise ValueError(f"{word!r}: write KIND=on, KIND=silent or KIND=off, as position_opened=off")
        if problem := why_unknown(kind):
            raise ValueError(problem)
        volumes[kind] = Volume(volume)
    return volumes


def usual(kind: str) -> str:
    """How loud events of the kind are as delivered, in a word or two."""
    return USUAL[kind].value if kind in USUAL else BY_SEVERITY


def volume(kind: str, severity: str, least: str, chosen: Mapping[str, Volume]) -> Volume:
    """How loud an event is told. What is critical has a sound unless its very kind was chosen to be quieter."""
    if kind in chosen:
        return chosen[kind]
    if SEVERITIES.index(severity) < SEVERITIES.index(least):
        return Volume.OFF
    if severity == "CRITICAL":
        return Volume.ON
    return USUAL.get(kind, Volume.SILENT if severity == "INFO" else Volume.ON)
