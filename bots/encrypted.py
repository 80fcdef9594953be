"""A text column that is encrypted at rest, and whose value shows itself to nobody who does not ask."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.db import models
from django.db.models.query_utils import DeferredAttribute

from bots import field_keys


@dataclass(frozen=True, slots=True)
class Secret:
    """An encrypted text. Its ``str`` and ``repr`` are stars: it may be logged, shown and compared without harm."""

    token: str = ""

    @classmethod
    def seal(cls, text: str) -> Secret:
        """Raises field_keys.UnreadableSecret when there is no usable key."""
        return cls(field_keys.encrypt(text)) if text else cls()

    def reveal(self) -> str:
        """The text itself, for the moment of its use. Raises field_keys.UnreadableSecret."""
        return field_keys.decrypt(self.token) if self.token else ""

    def fingerprint(self) -> str:
        """Enough to tell one key from another, and too little to use: ``abcd...0123cdef``; empty for none."""
        text = self.reveal()
        return f"{text[:4]}...{hashlib.sha256(text.encode()).hexdigest()[:8]}" if text else ""

    def __bool__(self) -> bool:
        return bool(self.token)

    def __str__(self) -> str:
        return "***" if self.token else ""

    __repr__ = __str__


if TYPE_CHECKING:
    _Field = models.Field[Secret | str, Secret]
else:
    _Field = models.Field


class _Sealed(DeferredAttribute):
    """Seals what is assigned: the text of a secret never stays on a row."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class EncryptedField(_Field):
    """A ``Secret``; a plain text that is assigned is sealed at once. Never shown by a form."""

    descriptor_class = _Sealed

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"default": Secret, "blank": True, "editable": False, **options})

    def get_internal_type(self) -> str:
        return "TextField"

    def to_python(self, value: Any) -> Any:
        return Secret.seal(value) if isinstance(value, str) else value

    def from_db_value(self, value: str, expression: object, connection: object) -> Secret:
        return Secret(value)

    def get_prep_value(self, value: Any) -> str:
        token: str = self.to_python(super().get_prep_value(value)).token
        return token
