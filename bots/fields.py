"""An exact decimal column: text on SQLite, numeric on PostgreSQL.

Django's DecimalField on SQLite goes through floating point and loses digits (1234567890.12345678 comes back as
...346). Text keeps every one. The price: no sums, F() or ordering of money in SQL. Comparing with zero works,
because the text of a positive number sorts after "0" and that of a negative one before it.
"""

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, TypeVar

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper

from market.money import canonical

MAX_DIGITS = 40
"""More than any exchange books; what is longer is a mistake, refused before it is stored."""


_Set = TypeVar("_Set")
_Get = TypeVar("_Get")

if TYPE_CHECKING:
    _Field = models.DecimalField  # what a type checker knows: Decimal, or Decimal | None where nullable
else:

    class _Field(models.Field):
        """Django's Field, which takes no type parameters at run time."""

        def __class_getitem__(cls, _types):
            return cls


class ExactDecimalField(_Field[_Set, _Get]):
    """A finite Decimal, stored to the last digit. Floats are refused: they have lost digits already."""

    description = "Exact decimal"

    def db_type(self, connection: BaseDatabaseWrapper) -> str:
        return "text" if connection.vendor == "sqlite" else "numeric"

    def get_internal_type(self) -> str:
        return "ExactDecimalField"

    def from_db_value(self, value: Any, expression: object, connection: object) -> Decimal | None:
        return None if value is None else Decimal(value)

    def to_python(self, value: Any) -> Decimal | None:
        if value is None:
            return None
        if isinstance(value, float):
            raise ValidationError("%(value)s is a float: give a Decimal, an int or a string", params={"value": value})
        try:
            number = Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            raise ValidationError("%(value)s is not a number", params={"value": value}) from None
        if not number.is_finite():
            raise ValidationError("%(value)s is not a finite number", params={"value": value})
        if len(number.as_tuple().digits) > MAX_DIGITS or abs(number.adjusted()) > MAX_DIGITS:
            raise ValidationError("%(value)s has too many digits", params={"value": value})
        return number

    def get_prep_value(self, value: Any) -> Decimal | None:
        return self.to_python(super().get_prep_value(value))

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        number = value if prepared else self.get_prep_value(value)
        if number is None:
            return None
        return canonical(number) if connection.vendor == "sqlite" else number

    def value_to_string(self, obj: models.Model) -> str:
        value: Any = self.value_from_object(obj)
        return "" if value is None else canonical(value)

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        return super().formfield(**{"form_class": forms.DecimalField, **kwargs})
