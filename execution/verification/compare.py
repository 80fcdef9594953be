"""Stored against recomputed, field by field. PURE."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, TypeVar

from market.money import canonical

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that is stored and does not follow from the sources. ``what`` is a kind of row and its column."""

    what: str
    row: str
    stored: str
    recomputed: str


def compare(kind: str, row: str, stored: T, recomputed: T) -> Iterator[Difference]:
    """A difference for each field of two values of one dataclass that is not equal to the last digit."""
    if stored == recomputed:
        return
    for name in (field.name for field in fields(stored)):  # type: ignore[arg-type]
        one, other = getattr(stored, name), getattr(recomputed, name)
        if one != other:
            yield Difference(f"{kind}.{name}", row, text(one), text(other))


def text(value: Any) -> str:
    """A value as the table shows it: every digit of an amount."""
    if value is None:
        return "-"
    return canonical(value) if isinstance(value, Decimal) else str(value)
