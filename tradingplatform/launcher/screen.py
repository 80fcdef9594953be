"""The terminal, or the file that stands in for it: lines that stay, and below them one that is redrawn."""

import os

COLUMNS = 80


class Screen:
    """Lines that stay are also written to stdout, which is the narrator's log."""

    def __init__(self, fd: int) -> None:
        self._fd: int | None = fd
        self.live = os.isatty(fd) and os.environ.get("TERM") != "dumb"
        self._drawn = ""

    def width(self) -> int | None:
        """Columns that a live line may take; no limit where lines are not redrawn."""
        if not self.live or self._fd is None:
            return None
        try:
            columns = os.get_terminal_size(self._fd).columns
        except OSError:
            columns = 0
        return (columns or COLUMNS) - 1  # some terminals do not know how wide they are

    def line(self, text: str) -> None:
        print(text, flush=True)  # noqa: T201
        self._write(f"{self._clear()}{text}\n{self._drawn}")

    def live_line(self, text: str) -> None:
        if self.live:
            self._drawn = text
            self._write(f"{self._clear()}{text}")
        else:
            self.line(text)

    def close(self) -> None:
        """The terminal belongs to somebody else now."""
        self._write("\n" if self._drawn else "")
        self._fd = None

    def _clear(self) -> str:
        return "\r\033[K" if self.live and self._drawn else ""

    def _write(self, text: str) -> None:
        if self._fd is None:
            return
        try:
            data = text.encode()
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            self._fd = None
