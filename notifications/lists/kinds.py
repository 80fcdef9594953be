"""A filter by what there is in a column of few different values, found without reading the table."""

from collections.abc import Iterable
from typing import Any, cast

from django.db import connection
from django.db.models import Field, Model

from notifications.lists.filters import OneOf

MOST = 500
"""Values. A column with more of them is no column of kinds."""


def values_there(model: type[Model], name: str) -> list[str]:
    """The different values of a text column, in order, at most ``MOST``; empty ones are left out.

    From one value to the next by the column's index, where it has one: a step per value, not per row.
    """
    quote, field = connection.ops.quote_name, cast("Field[Any, Any]", model._meta.get_field(name))
    table, column = quote(model._meta.db_table), quote(str(field.column))
    after = f"SELECT MIN({column}) FROM {table} WHERE {column} > "
    statement = (
        f"WITH RECURSIVE there(value) AS ({after} '' UNION ALL"
        f" SELECT ({after} there.value) FROM there WHERE there.value IS NOT NULL)"
        f" SELECT value FROM there WHERE value IS NOT NULL LIMIT {MOST}"
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return [value for (value,) in cursor.fetchall()]


class KindsThere(OneOf):
    """One of the values that the column has."""

    def __init__(self, field: Any, request: Any, params: Any, model: Any, admin: Any, field_path: str) -> None:
        self.model = model
        super().__init__(field, request, params, model, admin, field_path)

    def options(self) -> Iterable[tuple[str, str]]:
        return [(value, value) for value in values_there(self.model, self.field_path)]
