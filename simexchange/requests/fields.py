"""PURE. Fields of /sim requests that know what they allow, so that a mistake in a script is one clear answer."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

import orjson

_AMOUNT = re.compile(r"[0-9]{1,10}(\.[0-9]{1,8})?")


class BadField(ValueError):
    """A field that makes no sense: which one, what is wrong with it, and what would be allowed."""

    def __init__(self, field: str, problem: str, allowed: object) -> None:
        super().__init__(f"{field}: {problem}")
        self.field, self.problem, self.allowed = field, problem, allowed

    def as_json(self) -> dict[str, object]:
        return {"error": f"{self.field}: {self.problem}", "field": self.field, "allowed": self.allowed}


class Field(Protocol):
    """One named value of a JSON object. ``default`` stands for it when it is absent."""

    @property
    def default(self) -> Any: ...

    @property
    def allowed(self) -> object: ...

    def accepts(self, value: object) -> bool: ...


@dataclass(frozen=True)
class Number:
    """A number between two bounds, both included."""

    default: float | None
    least: float
    most: float
    whole: bool = False

    @property
    def allowed(self) -> object:
        return f"{'an integer' if self.whole else 'a number'} from {self.least:g} to {self.most:.15g}"

    def accepts(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int if self.whole else (int, float)):
            return False
        return math.isfinite(value) and self.least <= value <= self.most


@dataclass(frozen=True)
class Choice:
    """One of several words."""

    default: str | None
    options: tuple[str, ...]

    @property
    def allowed(self) -> object:
        return list(self.options)

    def accepts(self, value: object) -> bool:
        return value in self.options


@dataclass(frozen=True)
class Flag:
    """True or false."""

    default: bool

    @property
    def allowed(self) -> object:
        return [True, False]

    def accepts(self, value: object) -> bool:
        return isinstance(value, bool)


@dataclass(frozen=True)
class Text:
    """Any text."""

    default: str | None = None

    @property
    def allowed(self) -> object:
        return "text of 1 to 1000 characters"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and 0 < len(value) <= 1000


@dataclass(frozen=True)
class Amount:
    """An exact amount, as text; it has no default."""

    most: int
    default: None = None

    @property
    def allowed(self) -> object:
        return f"more than 0 and at most {self.most}, with at most eight decimals"

    def accepts(self, value: object) -> bool:
        return isinstance(value, str) and bool(_AMOUNT.fullmatch(value)) and 0 < Decimal(value) <= self.most


def json_body(body: str) -> object:
    """The JSON that was sent; raises BadField when it is none."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadField("body", f"is not JSON: {error}", "a JSON object or a list of them") from error


def read(given: object, fields: Mapping[str, Field], at: str) -> dict[str, Any]:
    """The fields of an object, with defaults for those that are absent or null.

    ``at`` is where the object stands, for the complaint. Raises BadField for an unknown field or a bad value.
    """
    if not isinstance(given, dict):
        raise BadField(at or "body", "must be an object", list(fields))
    for name in given:
        if name not in fields:
            raise BadField(_under(at, name), "unknown field", list(fields) or "nothing: it takes no parameters")
    values = {name: field.default for name, field in fields.items()}
    for name, value in given.items():
        if value is None:
            continue
        if not fields[name].accepts(value):
            raise BadField(_under(at, name), f"{value!r} is not allowed", fields[name].allowed)
        values[name] = value
    return values


def _under(at: str, name: str) -> str:
    return f"{at}.{name}" if at else str(name)
