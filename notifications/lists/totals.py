"""What a list's head says of all rows that are filtered, not of one page alone."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

TOTALLED_TO = 200_000
"""Rows. More are not added up for a page: the filters are to be narrowed."""


@dataclass(frozen=True, slots=True)
class Total:
    """One figure of the head."""

    name: str
    shown: SafeString | str


def counted(number: int, what: str) -> str:
    """So many of a thing, in words: 1 order, 2 orders."""
    return f"{number:,} {what if number == 1 else f'{what}s'}"
