"""What is wrong with a fleet file, and where. PURE."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

_UNSHOWN = 60
"""Characters of a value after which the rest is left out."""

_LIST = ": use one of "


class Nothing:
    """Stands for a value that was not given."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Problem:
    """One field that does not fit: the line it is on, its name, the value given, and what is allowed."""

    line: int
    field: str
    value: object
    text: str

    def __str__(self) -> str:
        given = "" if self.value is NOTHING else f" = {show(self.value)}"
        return f"{self.field}{given}: {self.text}"


class BadFleet(Exception):
    """A fleet that was refused as a whole; nothing was changed. Its text has one line per problem, in file order."""

    def __init__(self, source: str, problems: Sequence[Problem]) -> None:
        self.source = source
        self.problems = tuple(_shortened(sorted(problems, key=lambda problem: problem.line)))
        super().__init__("\n".join(f"{source}:{problem.line}: {problem}" for problem in self.problems))


def _shortened(problems: Sequence[Problem]) -> Iterator[Problem]:
    """A long list of what is allowed is given once; after that it is referred to."""
    given: set[str] = set()
    for problem in problems:
        what, found, allowed = problem.text.partition(_LIST)
        if found and len(allowed) > _UNSHOWN:
            if allowed in given:
                problem = replace(problem, text=f"{what}{_LIST}those listed above")
            given.add(allowed)
        yield problem


def show(value: object) -> str:
    """A value as a fleet file spells it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, str):
        text = f'"{value}"'
    elif isinstance(value, dict):
        text = "{...}" if value else "{}"
    elif isinstance(value, list):
        text = f"[{', '.join(show(item) for item in value)}]"
    else:
        text = str(value)
    return text if len(text) <= _UNSHOWN else f"{text[:_UNSHOWN]}..."
