"""The kinds of events of this floor: signals, halts, limits and the dead man's switch. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from notifications.kinds import SPREAD, Lasting, Payload


@dataclass(frozen=True)
class SignalGenerated(Payload, kind="signal"):
    """A strategy wants to enter or to exit, and that led to something: an approval, a refusal or an exit."""

    slot: int
    signal: Mapping[str, Any] = field(metadata=SPREAD)  # action, reason, indicators, stop, target, held, proposal


@dataclass(frozen=True)
class OfHalt(Payload):
    """A halt as it is after what is told."""

    cause: str  # a breaker, a check, or operator
    scope: str  # bot, account or everything
    closes: bool  # whether what is held is sold


@dataclass(frozen=True)
class HaltRaised(OfHalt, kind="halt_raised"):
    """A breaker, a check or an operator stopped the entries of a bot, of an account or of everything."""

    figures: Mapping[str, str] = field(metadata=SPREAD)  # limit and value of a breaker, actor and reason of a person


class HaltCloses(OfHalt, kind="halt_closes"):
    """A halt that only stopped entries sells what is held from now on."""


@dataclass(frozen=True)
class HaltCleared(OfHalt, kind="halt_cleared"):
    """A halt is over, by an operator or by its own time: trading resumes."""

    actor: str
    reason: str = ""


@dataclass(frozen=True)
class LimitChanged(Payload, kind="limit_changed"):
    """A risk limit was changed: tightened at once, or loosened because its time has come."""

    limit: str
    from_: str
    to: str
    actor: str
    reason: str = ""


@dataclass(frozen=True)
class CheckedIn(Payload, kind="checked_in"):
    """A person checked in: the dead man's switch begins its time anew."""

    actor: str


@dataclass(frozen=True)
class OfSilence(Payload):
    """Nobody has checked in."""

    last_checkin_at: datetime
    triggers_at: datetime


class DeadManWarning(OfSilence, kind="dead_man_warning"):
    """First stage of the dead man's switch: somebody should check in."""


class DeadManCritical(OfSilence, kind="dead_man_critical"):
    """Second stage of the dead man's switch: it is about to trigger."""


@dataclass(frozen=True)
class DeadManTriggered(Payload, kind="dead_man_triggered"):
    """Last stage of the dead man's switch: nothing enters until it is reset."""

    last_checkin_at: datetime


@dataclass(frozen=True)
class DeadManStillTriggered(Payload, kind="dead_man_still_triggered"):
    """The switch has triggered and was not reset: said again every 15 minutes."""

    latched_at: datetime


@dataclass(frozen=True)
class DeadManReset(Payload, kind="dead_man_reset"):
    """A person reset the switch after it had triggered."""

    actor: str
    reason: str
    latched_at: datetime


CLOCK_JUMPED = Lasting.declare(
    "clock_jumped",
    "This machine's clock was seen to jump: nothing enters until somebody checks in.",
    "Somebody has looked at the clock that jumped, and checked in.",
)
CLOCK_WENT_BACK = Lasting.declare(
    "clock_went_back",
    "This machine's clock is behind where it was: nothing enters.",
    "This machine's clock is where it was.",
)
SWITCH_NOT_DRILLED = Lasting.declare(
    "switch_not_drilled",
    "The dead man's switch was not drilled for 35 days.",
    "The dead man's switch was drilled.",
)
DEAD_MAN_UNREADABLE = Lasting.declare(
    "dead_man_unreadable",
    "The dead man's switch is missing or cannot be read: nothing enters.",
    "The dead man's switch can be read again.",
)
