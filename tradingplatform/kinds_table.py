"""Every kind of event as a table: for the terminal, for programs, and for docs/events.md. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, asdict, dataclass
from datetime import datetime
from decimal import Decimal

import tradingplatform.event_kinds  # noqa: F401  (after it every kind is known)
from notifications.kinds import Field, fields_of, kinds
from tradingplatform.telegram_kinds import usual

TYPES: dict[type, str] = {
    Decimal: "string: a decimal number, exact; empty where there is none",
    datetime: "string: a time, ISO 8601",
    str: "string",
    bool: "boolean",
    float: "number",
    int: "integer",
    Mapping: "object",
    Sequence: "array",
}
"""Of JSON, by Python's."""


@dataclass(frozen=True, slots=True)
class Row:
    """One kind. ``payload``: its fields, with a question mark where one may be missing, three dots for more of them."""

    kind: str
    tells: str
    payload: tuple[str, ...]
    telegram: str


def rows() -> list[Row]:
    """In the order of the alphabet."""
    return [
        Row(name, kind.tells(), tuple(field.shown for field in fields_of(kind)), usual(name))
        for name, kind in kinds().items()
    ]


def listing() -> str:
    """For people at a terminal."""
    return "\n".join(f"{row.kind}  [{row.telegram}]\n    {row.tells}\n    {', '.join(row.payload)}" for row in rows())


def markdown() -> str:
    """As docs/events.md has it."""
    head = ("| kind | tells | payload | Telegram |", "|---|---|---|---|")
    return "\n".join((*head, *map(_line, rows())))


def as_json() -> list[dict[str, object]]:
    """For programs: the payload's fields with their types in JSON."""
    return [asdict(row) | {"payload": [_described(field) for field in fields_of(kinds()[row.kind])]} for row in rows()]


def _line(row: Row) -> str:
    payload = ", ".join(f"`{name}`" for name in row.payload)
    return f"| `{row.kind}` | {row.tells} | {payload} | {row.telegram} |"


def _described(field: Field) -> dict[str, object]:
    """``spread``: its entries stand beside the other fields."""
    kind = next((name for known, name in TYPES.items() if known in field.types), "any")
    return {"name": field.key, "type": kind, "optional": field.default is not MISSING, "spread": field.spread}
