"""Named moments at which a process may die: before and after every commit and every request of an order's life.

``crash_point`` does nothing until somebody sets ``on_reached``: tests die there, and look what is found afterwards.
"""

from collections.abc import Callable

CRASH_POINTS = (
    "entry_intended",  # decision, position and order are committed, nothing was sent
    "entry_let_go",  # SENT is committed, the request has not left
    "entry_answered",  # the exchange's answer is here, and not booked
    "entry_recorded",  # booked; no stop rests yet
    "stop_intended",
    "stop_let_go",
    "stop_answered",
    "stop_recorded",
    "exit_decided",  # the position is CLOSING; its stop, if any, still rests
    "exit_intended",
    "exit_let_go",
    "exit_answered",
    "exit_recorded",
    "unknown_recorded",  # an order is booked as UNKNOWN
    "asked",  # what became of an order is known, and not booked
    "settled",  # and booked
    "cancel_answered",  # an order has ended at the exchange, and that is not booked
    "cancel_recorded",
    "written_off",  # dust is booked
)

on_reached: Callable[[str], None] | None = None


def crash_point(name: str) -> None:
    """A moment of that name has been reached."""
    if on_reached is not None:
        on_reached(name)
