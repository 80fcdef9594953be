"""Exact sums of money by the database, without loading a row: numeric on PostgreSQL, an aggregate of ours on SQLite.

SQLite's own sum is a float. Ours is called back for each row, a microsecond or so.
"""

import sqlite3
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate

from bots.fields import ExactDecimalField
from market.money import EXACT, ZERO, canonical

NAME = "exact_sum"


class ExactSum(Aggregate):
    """The exact sum of a money column; of several, the sum of their products. None over no rows.

    On SQLite more digits than ``exact()`` holds are django.db.OperationalError: a rounded sum is never shown.
    """

    function = "SUM"
    name = "ExactSum"
    arg_joiner = " * "

    def __init__(self, *columns: str, **options: Any) -> None:
        super().__init__(*columns, output_field=ExactDecimalField(), **options)

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        return super().as_sql(compiler, connection, function=NAME, arg_joiner=", ", **options)


class _Sum:
    """What SQLite calls: one of these per sum and group."""

    def __init__(self) -> None:
        self.total: Decimal | None = None

    def step(self, *factors: str | None) -> None:
        if None in factors:
            return
        product = Decimal(factors[0])  # type: ignore[arg-type]  # none of them is None
        for factor in factors[1:]:
            product = EXACT.multiply(product, Decimal(factor))  # type: ignore[arg-type]
        self.total = EXACT.add(self.total or ZERO, product)

    def finalize(self) -> str | None:
        return None if self.total is None else canonical(self.total)


def teach(connection: Any, **_: object) -> None:
    """Make the sum known to a new connection; for the signal connection_created."""
    raw = getattr(connection, "connection", None)
    if isinstance(raw, sqlite3.Connection):
        raw.create_aggregate(NAME, -1, _Sum)  # type: ignore[arg-type]  # the stubs want one fixed signature
