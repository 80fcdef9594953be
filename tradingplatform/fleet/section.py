"""One table of the fleet file while it is read: hands out typed fields and notes what does not fit. PURE."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from difflib import get_close_matches

from tradingplatform.fleet.lines import Path, line_of
from tradingplatform.fleet.problems import NOTHING, Problem
from tradingplatform.fleet.spec import Origin

MAX_DIGITS = 40
"""As bots.fields.ExactDecimalField: more than any exchange books."""


@dataclass
class Notes:
    """The lines of the file, and the problems found in it so far."""

    lines: dict[Path, int]
    problems: list[Problem] = field(default_factory=list)

    def add(self, path: Path, name: str, value: object, text: str) -> None:
        self.problems.append(Problem(line_of(self.lines, path), name, value, text))


@dataclass
class Section:
    """A table at ``path``; ``label`` is what a person calls it."""

    notes: Notes
    path: Path
    label: str
    values: dict[str, object]
    misspelt: set[str] = field(default_factory=set)
    """Absent keys that an unknown key seems to mean: told once, as that, and not missed again."""

    def only(self, allowed: Iterable[str]) -> None:
        """Refuse every key that is none of these."""
        allowed = tuple(allowed)
        absent = [key for key in allowed if key not in self.values]
        for key in self.values:
            if key not in allowed:
                meant = get_close_matches(key, absent, n=1, cutoff=0.75)
                self.misspelt.update(meant)
                perhaps = f"perhaps {meant[0]}; " if meant else ""
                self.refuse(key, f"unknown key: {perhaps}use one of {', '.join(allowed)}")

    def refuse(self, key: str, text: str, *within: str | int) -> None:
        self.notes.add((*self.path, key, *within), f"{self.label}{key}", self.values.get(key, NOTHING), text)

    def missing(self, key: str, text: str) -> None:
        if key in self.misspelt:
            return
        self.notes.add(self.path, f"{self.label}{key}", NOTHING, f"missing: {text}")

    def text(self, key: str, what: str) -> str | None:
        """A text that is not empty; None, and a note, when it is missing or something else."""
        value = self.values.get(key)
        if value is None:
            self.missing(key, what)
        elif not isinstance(value, str) or not value.strip():
            self.refuse(key, f"must be {what}, in quotes")
        else:
            return value
        return None

    def choice(self, key: str, allowed: Iterable[str], default: str) -> str:
        """One of these words; the default, and a note, when it is something else."""
        value = self.values.get(key, default)
        if value in (allowed := tuple(allowed)):
            return str(value)
        self.refuse(key, f"must be one of {', '.join(allowed)}, in quotes")
        return default

    def amount(self, key: str, default: Decimal | None = None) -> Decimal | None:
        """An exact, finite number; None, and a note, when it is none."""
        value = self.values.get(key, default)
        if value is None:
            self.missing(key, "give an amount above 0, such as 5000")
        elif isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite():
            self.refuse(key, "must be a number above 0, such as 5000 or 2500.50, without quotes")
        elif len(Decimal(value).as_tuple().digits) > MAX_DIGITS or abs(Decimal(value).adjusted()) > MAX_DIGITS:
            self.refuse(key, f"has too many digits: at most {MAX_DIGITS}")
        else:
            return Decimal(value)
        return None

    def table(self, key: str) -> "Section":
        """The table of that name, empty when it is missing or something else (which is noted)."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.refuse(key, f"must be a table: [{key}]")
            value = {}
        return Section(self.notes, (*self.path, key), f"{self.label}{key}.", value)

    def tables(self, key: str) -> "list[Section]":
        """The tables of an array of tables."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            self.refuse(key, f"must be tables: [[{key}]]")
            return []
        return [
            Section(self.notes, (*self.path, key, i), f"{self.label}{key} {_called(item, i)}: ", item)
            for i, item in enumerate(value)
        ]

    @property
    def origin(self) -> Origin:
        """Where the fields of this table stand."""
        lines = {key: line_of(self.notes.lines, (*self.path, key)) for key in self.values}
        return Origin(self.label, line_of(self.notes.lines, self.path), lines)


def _called(item: dict[str, object], i: int) -> str:
    return repr(item["name"]) if isinstance(item.get("name"), str) else f"number {i + 1}"
