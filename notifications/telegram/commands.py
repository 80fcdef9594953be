"""A command as the plumbing sees it: a name, who may, and a function that answers. PURE."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from notifications.telegram.values import Note, Role

LONGEST = 1_000
"""What is longer than this is no command; a bot's name has 64 characters."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A command by somebody who may give it. ``sent_at``: when, by Telegram's clock; of a pressed button, by ours."""

    user_id: int
    user_name: str
    role: Role
    command: str
    words: tuple[str, ...]
    sent_at: datetime

    @property
    def line(self) -> str:
        """As it is typed."""
        return " ".join((f"/{self.command}", *self.words))


@dataclass(frozen=True, slots=True)
class Question:
    """To be confirmed: ``act`` happens when the sender presses the button, once, within a minute."""

    html: str
    act: Callable[[], Note]
    yes: str = "Yes, do it"


@dataclass(frozen=True, slots=True)
class Command:
    """``answer`` may raise ValueError: its text is for the sender. ``refreshes``: may be repeated by a button."""

    name: str
    takes: str
    does: str
    answer: Callable[[Asked], Note | Question]
    role: Role = Role.VIEWER
    refreshes: bool = False


def read_command(text: str) -> tuple[str, tuple[str, ...]]:
    """The name and the words after it. Raises ValueError for what is no command."""
    if len(text) > LONGEST:
        raise ValueError(f"That is {len(text):,} characters: a command has at most {LONGEST:,}. See /help")
    first, *words = text.split() or [""]
    if not first.startswith("/") or len(first) < 2:
        raise ValueError("Commands begin with /. See /help")
    return first[1:].partition("@")[0].lower(), tuple(words)


def find(name: str, commands: Mapping[str, Command]) -> Command:
    """Raises ValueError, naming the nearest."""
    command = commands.get(name)
    if command is None:
        near = get_close_matches(name[:32], commands, n=3, cutoff=0.6)
        perhaps = f": perhaps {' or '.join(f'/{one}' for one in near)}" if near else ""
        raise ValueError(f"There is no command /{name[:32]}{perhaps}. See /help")
    return command
