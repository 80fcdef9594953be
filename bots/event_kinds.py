"""The kinds of events of this floor: what becomes of a bot. PURE."""

from dataclasses import dataclass

from notifications.kinds import Payload


@dataclass(frozen=True)
class Moved(Payload):
    """A bot's status changed."""

    from_: str
    to: str
    actor: str
    reason: str


class BotStarted(Moved, kind="bot_started"):
    """A stopped bot was put in service."""


class BotPaused(Moved, kind="bot_paused"):
    """A bot enters nothing any more, and goes on with its exits."""


class BotResumed(Moved, kind="bot_resumed"):
    """A paused bot may enter again."""


class BotHalted(Moved, kind="bot_halted"):
    """A check took a bot's right to enter, until an operator resets it."""


class BotReset(Moved, kind="bot_reset"):
    """An operator acknowledged what had halted a bot: it is paused now."""


class BotStopped(Moved, kind="bot_stopped"):
    """A bot was taken out of service: it does not tick any more."""
