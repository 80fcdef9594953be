"""What the launcher says to the person at the terminal."""

import os
import sys

DIM, BOLD, GREEN, RED, YELLOW, PLAIN = "\033[2m", "\033[1m", "\033[32m", "\033[31m", "\033[33m", "\033[0m"


def has_colours(fd: int) -> bool:
    """Colours for a terminal, never for a file, and not for those who ask for none (https://no-color.org)."""
    return os.isatty(fd) and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def painted(text: str, colour: str, fd: int = 1) -> str:
    return f"{colour}{text}{PLAIN}" if has_colours(fd) else text


def say(text: str) -> None:
    """One line about what was done."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def complain(text: str) -> None:
    """One line about what is wrong, on stderr, each line of it marked as ours."""
    for line in text.splitlines():
        sys.stderr.write(f"{painted('make run:', RED, 2)} {line}\n")
    sys.stderr.flush()
