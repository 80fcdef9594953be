"""Every command there is."""

from collections.abc import Iterable, Mapping

from market.clock import Clock
from notifications.telegram.commands import Asked, Command
from notifications.telegram.markup import bold, escape
from notifications.telegram.values import Note, Role
from tradingplatform.telegram_commands.acting import Acting
from tradingplatform.telegram_commands.reading import KEYBOARD, Reading
from tradingplatform.telegram_commands.safety import Safety

ACTING_KEYS = ("/checkin", "/switch", "/halt")
"""The keyboard's last row, for operators."""


def commands(clock: Clock) -> dict[str, Command]:
    """By name, in the order of the menu."""
    found: dict[str, Command] = {}

    def help_(asked: Asked) -> Note:
        keyboard = (*KEYBOARD, ACTING_KEYS) if asked.role >= Role.OPERATOR else KEYBOARD
        return Note(help_text(found, asked), keyboard=keyboard)

    beside = [
        Command("help", "", "every command", help_),
        Command("start", "", "the keyboard, and every command", help_),
    ]
    for command in (*Reading(clock).commands(), *Acting(clock).commands(), *Safety(clock).commands(), *beside):
        found[command.name] = command
    return found


def help_text(found: Mapping[str, Command], asked: Asked) -> str:
    """What this person may do."""
    parts = [bold("Reading"), *_lines(one for one in found.values() if one.role is Role.VIEWER)]
    if asked.role >= Role.OPERATOR:
        acting = (one for one in found.values() if one.role is Role.OPERATOR)
        parts += ["", bold("Acting, each confirmed by a button within a minute"), *_lines(acting)]
    else:
        parts += ["", "You may read; operators may act, too."]
    return "\n".join([*parts, "", f"You are {asked.user_id}, {asked.role.name.lower()}."])


def _lines(found: Iterable[Command]) -> list[str]:
    return [escape(" ".join(filter(None, (f"/{one.name}", one.takes, "-", one.does)))) for one in found]
