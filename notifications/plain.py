"""Payloads as the JSON values that are stored. PURE."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING
from datetime import datetime
from decimal import Decimal
from math import isfinite

from notifications.kinds import Field, Payload, fields_of

Json = str | int | float | bool | None | list["Json"] | dict[str, "Json"]


class Unfit(ValueError):
    """A payload that cannot be stored as it is. The text says what of it, and why."""


def stored(payload: Payload) -> dict[str, Json]:
    """By key. Money is an exact plain string, empty where there is none; times are ISO 8601. Raises Unfit."""
    if not payload.kind:
        raise Unfit(f"{type(payload).__name__} is a shape that kinds of events share, not one of them")
    found: dict[str, Json] = {}
    for field in fields_of(type(payload)):
        value = getattr(payload, field.name)
        if not isinstance(value, field.types):
            raise Unfit(f"{payload.kind}: {field.name} cannot be {value!r}")
        if value != field.default or field.default is MISSING:
            _store(found, field, value)
    return found


def as_far_as_possible(payload: Payload) -> dict[str, Json]:
    """The same of one that is unfit: what cannot be stored as it is, is stored as text."""
    found: dict[str, Json] = {}
    for field in fields_of(type(payload)):
        value = getattr(payload, field.name, None)
        try:
            _store(found, field, value)
        except Exception:  # Unfit, or a value that cannot even be looked at
            found[field.key] = _text(value)
    return found


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception as error:
        return f"{type(value).__name__} without a text: {type(error).__name__}"


def _store(found: dict[str, Json], field: Field, value: object) -> None:
    if field.is_money and value is None:
        found[field.key] = ""
    elif field.spread and isinstance(value, Mapping):
        entries = {str(key): plain(one) for key, one in value.items()}
        if taken := sorted(entries.keys() & found.keys()):
            raise Unfit(f"{field.name}: {', '.join(taken)} would take the place of another field")
        found.update(entries)
    else:
        found[field.key] = plain(value)


def plain(value: object) -> Json:
    """A value as JSON. Raises Unfit."""
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Decimal):
        return _exact(value)
    if isinstance(value, float) and isfinite(value):
        return value
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, Sequence):
        return [plain(one) for one in value]
    raise Unfit(f"{value!r} cannot be stored in an event")


def _exact(value: Decimal) -> str:
    """One spelling per number: no exponent, no trailing zeros, no negative zero. (As market.money has it.)"""
    if not value.is_finite():
        raise Unfit(f"money must be finite, not {value}")
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
