"""A report as a table of values, and those values as text for people and for programs. PURE."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from market.money import canonical, decimals_shown
from tradingplatform.alarm_texts import span
from tradingplatform.csv_cells import harmless


class Kind(StrEnum):
    """What the values of a column are."""

    TEXT = "text"  # words
    COUNT = "count"  # a whole number
    MONEY = "money"  # an amount in quote
    PROFIT = "profit"  # an amount in quote that is written with its sign
    BASE = "base"  # an amount in base
    PART = "part"  # a fraction, shown as percent
    RATIO = "ratio"  # a plain number
    BP = "bp"  # basis points
    SPAN = "span"  # seconds
    DAYS = "days"  # whole days
    DAY = "day"  # a UTC day
    MOMENT = "moment"  # a time in UTC


WORDS = frozenset({Kind.TEXT, Kind.DAY, Kind.MOMENT})


class Instead(str):
    """Said where a figure would be, when there is none: why not. Programs get nothing."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Column:
    """``key`` names it for programs, ``title`` for people."""

    key: str
    title: str
    kind: Kind

    @property
    def is_right(self) -> bool:
        """Whether its figures stand one below the other at the right."""
        return self.kind not in WORDS

    def head(self, quote: str) -> str:
        """The title with its unit."""
        units = {Kind.MONEY: quote, Kind.PROFIT: quote, Kind.BP: "bp", Kind.DAYS: "days"}
        unit = units.get(self.kind, "")
        return f"{self.title} ({unit})" if unit else self.title


Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` and ``total`` have a value, None or an Instead for each column. ``empty`` says what would be there."""

    title: str
    quote: str
    columns: Sequence[Column]
    rows: Sequence[Row]
    empty: str
    total: Row | None = None
    notes: Sequence[str] = field(default=())

    @property
    def lines(self) -> list[Row]:
        """The rows, and below them the total."""
        return [*self.rows, self.total] if self.total is not None and self.rows else list(self.rows)

    def ordered(self, key: str, *, falling: bool) -> "Table":
        """By that column; rows without a figure there come last. An unknown column changes nothing."""
        place = next((n for n, column in enumerate(self.columns) if column.key == key), None)
        if place is None:
            return self
        told = [row for row in self.rows if _is_told(row[place])]
        untold = [row for row in self.rows if not _is_told(row[place])]
        rows = [*sorted(told, key=lambda row: row[place], reverse=falling), *untold]
        return Table(self.title, self.quote, self.columns, rows, self.empty, self.total, self.notes)


def shown(value: Any, kind: Kind, quote: str) -> str:
    """For people: rounded, with its unit where the head does not say it."""
    if isinstance(value, Instead):
        return value
    if value is None:
        return "-"
    cents = decimals_shown(quote)
    match kind:
        case Kind.COUNT | Kind.DAYS:
            return f"{value:,}"
        case Kind.MONEY:
            return f"{value:,.{cents}f}"
        case Kind.PROFIT:
            return _signed(value, cents)
        case Kind.PART:
            return f"{value * 100:,.2f} %"
        case Kind.RATIO:
            return f"{value:,.2f}"
        case Kind.BP:
            return _signed(value, 2)
        case Kind.BASE:
            return canonical(value)
        case Kind.SPAN:
            return span(value)
        case Kind.MOMENT:
            return f"{value:%Y-%m-%d %H:%M:%S}"
    return str(value)


def plain(value: Any) -> str | int | float | None:
    """For programs: money with every digit as text, times in ISO 8601, None where there is no figure."""
    if isinstance(value, Instead) or value is None:
        return None
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, int | float):
        return value
    return str(value)


def records(table: Table) -> list[dict[str, Any]]:
    """A mapping by column for each row, the total not among them."""
    return [_record(table.columns, row) for row in table.rows]


def total_record(table: Table) -> dict[str, Any] | None:
    return None if table.total is None else _record(table.columns, table.total)


def _record(columns: Sequence[Column], row: Row) -> dict[str, Any]:
    return {column.key: plain(value) for column, value in zip(columns, row, strict=True)}


def terminal(table: Table) -> str:
    """Columns as wide as they must be."""
    heads = tuple(column.head(table.quote) for column in table.columns)
    body = [
        tuple(shown(value, column.kind, table.quote) for column, value in zip(table.columns, row, strict=True))
        for row in table.lines
    ]
    lines = [table.title]
    if not body:
        return "\n".join([*lines, table.empty])
    widths = [max(len(cells[place]) for cells in (heads, *body)) for place in range(len(heads))]
    for cells in (heads, *body):
        fitted = (
            cell.rjust(width) if column.is_right else cell.ljust(width)
            for cell, width, column in zip(cells, widths, table.columns, strict=True)
        )
        lines.append("  ".join(fitted).rstrip())
    return "\n".join([*lines, *table.notes])


def csv_rows(table: Table) -> list[list[Any]]:
    """The heads, with the quote currency where they need it, and every line with all digits. Text that a spreadsheet
    would run as a formula gets an apostrophe in front; figures never do."""
    keys = [
        f"{column.key}_{table.quote.lower()}" if column.kind in (Kind.MONEY, Kind.PROFIT) else column.key
        for column in table.columns
    ]
    return [keys, *([_cell(value) for value in row] for row in table.lines)]


def _cell(value: Any) -> str | int | float | None:
    return harmless(value) if isinstance(value, str) and not isinstance(value, Instead) else plain(value)


def _signed(value: Decimal, decimals: int) -> str:
    """With its sign, unless nothing of it is left to see."""
    text = f"{value:+,.{decimals}f}"
    return text if text.strip("+-0.,") else text[1:]


def _is_told(value: Any) -> bool:
    return value is not None and not isinstance(value, Instead)
