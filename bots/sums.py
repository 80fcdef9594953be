"""Exact sums of money by the database, without loading a row: numeric on PostgreSQL, an aggregate of ours on SQLite.

SQLite's own sum is a float. Ours is called back for each row, a microsecond or so.
"""

import sqlite3
from decimal import Decimal
from typing import Any

from django.db.models import Aggregate

from bots.fields import ExactDecimalField
from market.money import EXACT, ZERO, canonical

SUM, SUM_OF_PRODUCTS = "exact_sum", "exact_sum_of_products"


class ExactSum(Aggregate):
    """The exact sum of a money column; of two, the sum of their products. None over no rows.

    On SQLite more digits than ``exact()`` holds are django.db.OperationalError: a rounded sum is never shown.
    """

    function = "SUM"
    name = "ExactSum"
    arg_joiner = " * "

    def __init__(self, *columns: str, **options: Any) -> None:
        if len(columns) not in (1, 2):
            raise ValueError(f"a sum of one column, or of the products of two, not of {len(columns)}")
        super().__init__(*columns, output_field=ExactDecimalField(), **options)

    def as_sqlite(self, compiler: Any, connection: Any, **options: Any) -> Any:
        function = SUM if len(self.source_expressions) == 1 else SUM_OF_PRODUCTS
        return super().as_sql(compiler, connection, function=function, arg_joiner=", ", **options)


class _Sum:
    """What SQLite calls, once per row and sum: as little as can be done. One of these per sum and group."""

    total: Decimal | None = None

    def step(self, value: str | None) -> None:
        if value is not None:
            self.total = EXACT.add(self.total or ZERO, Decimal(value))

    def finalize(self) -> str | None:
        return None if self.total is None else canonical(self.total)


class _SumOfProducts(_Sum):
    def step(self, value: str | None, other: str | None) -> None:  # type: ignore[override]  # it has two columns
        if value is not None and other is not None:
            self.total = EXACT.fma(Decimal(value), Decimal(other), self.total or ZERO)


def teach(connection: Any, **_: object) -> None:
    """Make the sums known to a new connection; for the signal connection_created."""
    raw = getattr(connection, "connection", None)
    if isinstance(raw, sqlite3.Connection):
        raw.create_aggregate(SUM, 1, _Sum)  # type: ignore[arg-type]  # the stubs want any number of arguments
        raw.create_aggregate(SUM_OF_PRODUCTS, 2, _SumOfProducts)  # type: ignore[arg-type]
