"""What a list's head says of all rows that are filtered, not of one page alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, QuerySet
from django.utils.safestring import SafeString

TOTALLED_TO = 200_000
"""Rows. More are not added up for a page: the filters are to be narrowed."""


@dataclass(frozen=True, slots=True)
class Total:
    """One figure of the head."""

    name: str
    shown: SafeString | str


def by_choice(rows: QuerySet[Any], name: str, words: dict[str, str]) -> Iterator[Total]:
    """How many rows there are of each value, in the values' order; those that there are none of are left out."""
    counts = dict(rows.order_by().values_list(name).annotate(Count("pk")))
    for value, word in words.items():
        if counts.get(value):
            yield Total(word, f"{counts[value]:,}")
