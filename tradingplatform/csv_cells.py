"""Values as cells of a CSV file: exact, in UTC, and harmless in a spreadsheet. PURE."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from market.money import canonical

FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for a formula, or strips before it looks."""


def cell(value: Any) -> str:
    """One value. Money to its last digit without an exponent, times as ISO 8601 in UTC, empty for nothing.

    Text that a spreadsheet would run as a formula gets an apostrophe in front; numbers never do.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, Decimal):
        return canonical(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return harmless(text)


def harmless(text: str) -> str:
    """Text that no spreadsheet runs as a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_BEGINS) else text


def lines(rows: Iterable[Sequence[Any]]) -> str:
    """Rows as lines of the file (RFC 4180)."""
    file = io.StringIO()
    csv.writer(file, lineterminator="\r\n").writerows([cell(value) for value in row] for row in rows)
    return file.getvalue()
