"""How a halt in force ends: what is typed, or when it is over by itself. PURE."""

import shlex
from collections.abc import Mapping
from typing import Any

REASON = '--reason "..."'


def remedy(halt: Mapping[str, Any]) -> str | None:
    """The arguments of ``manage.py`` that end it (see ``alarms.halt_state``); None for one that ends by itself.

    What a person halted is resumed; what a check halted is cleared by whoever has looked into it.
    """
    if halt["until"]:
        return None
    kind, _, name = halt["scope"].partition(" ")
    by_person = halt["cause"] == "operator"
    match kind:
        case "bot":
            command = f"{'resume_trading' if by_person else 'reset_bot'} {shlex.quote(name)}"
        case "account":
            command = f"{'resume_trading --account' if by_person else 'clear_halt'} {shlex.quote(name)}"
        case _:
            command = "resume_trading --all"
    return f"{command} {REASON}"
