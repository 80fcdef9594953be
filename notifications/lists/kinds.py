"""A filter by what there is in a column of few different values, as the kinds of events."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Model

from notifications.lists.filters import OneOf

MOST = 500
"""Values. A column with more of them is no column of kinds."""


def values_there(model: type[Model], name: str) -> list[str]:
    """The different values of a text column, in order, at most ``MOST``; empty ones are left out.

    Read from the column's index where the table is long: give it one first.
    """
    rows = model._default_manager.exclude(**{name: ""}).order_by(name)
    return list(rows.values_list(name, flat=True).distinct()[:MOST])


class KindsThere(OneOf):
    """One of the values that the column has."""

    def __init__(self, field: Any, request: Any, params: Any, model: Any, admin: Any, field_path: str) -> None:
        self.model = model
        super().__init__(field, request, params, model, admin, field_path)

    def options(self) -> Iterable[tuple[str, str]]:
        return [(value, value) for value in values_there(self.model, self.field_path)]
