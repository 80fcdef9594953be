"""What happened to the processes of this run: one JSON line each, written by the supervisor, read by the narrator."""

import json
import os
import signal
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Event:
    """``at`` is a wall time in seconds. ``cause`` is empty for a start and says why for an end."""

    at: float
    name: str
    pid: int
    cause: str = ""


def cause_of(status: int) -> str:
    """Of a wait status: ``signal 9`` or ``exit code 1``."""
    code = os.waitstatus_to_exitcode(status)
    return f"signal {-code}, {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def journal_path(var: Path) -> Path:
    return var / "run" / "journal.jsonl"


def begin(var: Path) -> None:
    """An empty journal for a new run."""
    journal_path(var).write_text("")


def append(var: Path, event: Event) -> None:
    with journal_path(var).open("a") as file:
        file.write(json.dumps(asdict(event)) + "\n")


class Reader:
    """Follows the journal from its beginning."""

    def __init__(self, var: Path) -> None:
        self._file = journal_path(var).open()
        self._half = ""

    def news(self) -> Iterator[Event]:
        """What was written since the last time; a line that is still being written waits for its end."""
        text = self._half + self._file.read()
        *lines, self._half = text.split("\n")
        for line in lines:
            yield Event(**json.loads(line))
