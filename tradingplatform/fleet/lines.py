"""On which line each key of a TOML text stands: the standard parser does not tell. PURE.

The text is known to be valid TOML, so this scanner only has to know where keys, strings and brackets begin and end.
"""

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[\s,]|#[^\n]*)*")
_KEY = re.compile(r"""[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*'""")
_STRING = re.compile(r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|'[^']*\'''', re.DOTALL)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[Path, int]:
    """The line (from 1) of every key, table and element, by its path: ``("bots", 0, "capital")``."""
    return _Scanner(text).lines


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of the path, or of the nearest thing around it that has one."""
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self.tables: dict[Path, int] = {}  # arrays of tables, and how many each has
        self._scan()

    def _scan(self) -> None:
        table: Path = ()
        while self._skip_blank():
            if self.text.startswith("[[", self.at):
                table = self._header(2)
            elif self.text.startswith("[", self.at):
                table = self._header(1)
            else:
                self._pair(table)

    def _header(self, brackets: int) -> Path:
        line = self._line()
        self.at += brackets
        path: Path = ()
        keys = list(self._keys())
        for i, key in enumerate(keys):
            path += (key,)
            if brackets == 2 and i == len(keys) - 1:
                self.tables[path] = self.tables.get(path, 0) + 1
            if path in self.tables:
                self.lines.setdefault(path, line)
                path += (self.tables[path] - 1,)
        self.lines.setdefault(path, line)
        self.at += brackets
        return path

    def _pair(self, table: Path) -> None:
        line = self._line()
        path = table
        for key in self._keys():
            path += (key,)
            self.lines.setdefault(path, line)
        self.at += 1  # the =
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip_blank()
        opening = self.text[self.at]
        if opening == "{":
            self._inside("}", path)
        elif opening == "[":
            self._inside("]", path)
        else:
            self._match(_STRING if opening in "\"'" else _SCALAR)

    def _inside(self, closing: str, path: Path) -> None:
        self.at += 1
        element = 0
        while self._skip_blank() and self.text[self.at] != closing:
            if closing == "}":
                self._pair(path)
            else:
                self.lines[(*path, element)] = self._line()
                self._value((*path, element))
                element += 1
        self.at += 1

    def _keys(self) -> Iterator[str]:
        while True:
            self._skip_blank()
            raw = self._match(_KEY)
            yield tomllib.loads(f"key = {raw}")["key"] if raw[0] in "\"'" else raw
            self._skip_blank()
            if self.text[self.at] != ".":
                return
            self.at += 1

    def _match(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        assert found, f"not TOML at character {self.at}"
        self.at = found.end()
        return found.group()

    def _skip_blank(self) -> bool:
        """To the next character that means something; False at the end of the text."""
        self._match(_BLANK)
        return self.at < len(self.text)

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1
