"""Which log lines belong to a slot. PURE."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

Line = Mapping[str, Any]

MARGIN = timedelta(seconds=30)
"""Lines come a little after what they tell of, and wall times before the last start are not exact."""

CHAINS = ("tick", "task", "errand")
"""What a line may share with one that is known to belong: it belongs as well."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A slot: whose it is, when it was (wall time, None where that is not known), and the orders that are concerned."""

    bot: str
    bot_id: int
    slot: int
    begins_at: datetime | None
    ends_at: datetime | None
    orders: frozenset[str]

    def hints(self) -> tuple[bytes, ...]:
        """One of these is in each line that belongs; so most lines need not be read as JSON."""
        names = [f'"{self.bot}"', f'"bot_id": {self.bot_id}', *(f'"{order}"' for order in self.orders)]
        return tuple(name.encode() for name in names)


def read_line(text: bytes) -> Line | None:
    """A line of the log; None for what another program wrote, or the half of one."""
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and isinstance(line.get("timestamp"), str) else None


def belongs(line: Line, wanted: Wanted) -> bool:
    """By itself, whatever other lines say. What belongs to another slot of the bot does not."""
    if line.get("order") in wanted.orders:
        return True
    if line.get("bot") != wanted.bot and line.get("bot_id") != wanted.bot_id:
        return False
    if line.get("slot") is not None:
        return bool(line["slot"] == wanted.slot)
    return _was_then(line, wanted)


def chains_of(lines: Iterable[Line]) -> frozenset[tuple[str, str]]:
    """The ticks, tasks and errands that lines belong to."""
    return frozenset((name, str(line[name])) for line in lines for name in CHAINS if line.get(name))


def is_in(line: Line, chains: frozenset[tuple[str, str]]) -> bool:
    return any((name, str(line[name])) in chains for name in CHAINS if line.get(name))


def _was_then(line: Line, wanted: Wanted) -> bool:
    if wanted.begins_at is None or wanted.ends_at is None:
        return False
    try:
        at = datetime.fromisoformat(line["timestamp"])
    except ValueError:
        return False
    return wanted.begins_at - MARGIN <= at <= wanted.ends_at + MARGIN
