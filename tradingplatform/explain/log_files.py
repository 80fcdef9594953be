"""The log files of a platform, those that were rotated away included."""

import re
from collections.abc import Iterator
from pathlib import Path

from tradingplatform.explain.pick import Line, Wanted, belongs, chains_of, is_in, read_line

_NAME = re.compile(r"(?P<program>[a-z]+)\.log(\.\d+)?")


def log_lines(folder: Path, wanted: Wanted) -> list[Line]:
    """Every line that belongs to the slot, the oldest first, with the ``program`` that wrote it.

    The files are read twice: which tasks and ticks are concerned is known after the first time only.
    """
    files = [(found["program"], path) for path in _files(folder, wanted) if (found := _NAME.fullmatch(path.name))]
    own = [line for program, path in files for line in _read(program, path, wanted.hints()) if belongs(line, wanted)]
    chains = chains_of(own)
    hints = tuple(f'"{number}"'.encode() for _, number in chains)
    shared = [line for program, path in files for line in _read(program, path, hints) if is_in(line, chains)]
    unique = {tuple(sorted((name, str(value)) for name, value in line.items())): line for line in own + shared}
    return sorted(unique.values(), key=lambda line: line["timestamp"])


def _files(folder: Path, wanted: Wanted) -> Iterator[Path]:
    """Those that were written to since the slot began."""
    for path in sorted(folder.glob("*.log*")):
        if wanted.begins_at is None or path.stat().st_mtime >= wanted.begins_at.timestamp():
            yield path


def _read(program: str, path: Path, hints: tuple[bytes, ...]) -> Iterator[Line]:
    try:
        with path.open("rb") as file:
            for text in file:
                if any(hint in text for hint in hints) and (line := read_line(text)) is not None:
                    yield {**line, "program": program}
    except OSError:
        return  # rotated away meanwhile, or not ours to read
