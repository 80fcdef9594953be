"""Kinds of events: what each tells, and what its payload holds. PURE.

A kind is a class whose docstring says in one line what it tells, and whose fields are the payload: mypy checks them
where one is built. A class with a ``kind`` registers itself; one without is a shape that kinds share. Every floor
declares its own in ``event_kinds.py``; the roof's knows them all.
"""

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, dataclass, fields, is_dataclass
from decimal import Decimal
from difflib import get_close_matches
from types import MappingProxyType, new_class
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

SPREAD: Mapping[str, bool] = MappingProxyType({"spread": True})
"""Metadata of a field whose entries are stored beside the other fields: figures, by name."""

LONGEST = 48
"""Characters of a kind, as its column holds them."""

_REGISTERED: dict[str, "type[Payload]"] = {}
_FIELDS: dict["type[Payload]", "tuple[Field, ...]"] = {}


class Payload:
    """What an event says to programs. Its frozen subclasses hold it, typed."""

    kind: ClassVar[str] = ""

    def __init_subclass__(cls, kind: str = "") -> None:
        """Raises ValueError for a kind that is declared twice, or that its column cannot hold."""
        super().__init_subclass__()
        cls.kind = kind
        if len(kind) > LONGEST:
            raise ValueError(f"the kind of event {kind!r} has more than {LONGEST} characters")
        if kind in _REGISTERED:
            raise ValueError(f"two classes declare the kind of event {kind!r}")
        if kind:
            _REGISTERED[kind] = cls

    @classmethod
    def tells(cls) -> str:
        """What the event tells and when, in one line."""
        return " ".join((cls.__dict__.get("__doc__") or "").replace("``", "`").split())


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a payload: its attribute, its key in the JSON that is stored, what may be in it.

    ``default``: while it is that, it is not stored; dataclasses.MISSING where there is none.
    """

    name: str
    key: str
    types: tuple[type, ...]
    spread: bool
    default: object

    @property
    def is_money(self) -> bool:
        return Decimal in self.types

    @property
    def shown(self) -> str:
        """For people: the key, with a question mark where it may be missing."""
        if self.spread:
            return "..."
        return self.key if self.default is MISSING else f"{self.key}?"


def fields_of(kind: type[Payload]) -> tuple[Field, ...]:
    """In their order. A name of Python's has an underscore behind it that its key has not."""
    if kind not in _FIELDS:
        _FIELDS[kind] = tuple(_fields(kind)) if is_dataclass(kind) else ()
    return _FIELDS[kind]


def kinds() -> Mapping[str, type[Payload]]:
    """Every kind that is known to this process, by name, in the order of the alphabet."""
    return dict(sorted(_REGISTERED.items()))


def why_unknown(kind: str) -> str:
    """Why this is no kind of event, with what it may have been meant for; empty when it is one.

    What could be no kind at all is not repeated: it may be an address that came into the wrong line.
    """
    if kind in _REGISTERED:
        return ""
    near = get_close_matches(kind, _REGISTERED, n=3)
    meant = f"perhaps {', '.join(near)}" if near else "`manage.py event_kinds` lists them"
    named = f"kind of event {kind!r}" if kind.isidentifier() and len(kind) <= LONGEST else "such kind of event"
    return f"there is no {named}: {meant}"


@dataclass(frozen=True)
class Began(Payload):
    """Something that lasts has begun."""

    subject: str  # what it is about


@dataclass(frozen=True)
class Ended(Payload):
    """Something that lasted is over."""

    subject: str
    lasted_s: float  # wall time


class Lasting(str):
    """The kind of a condition, and of the two events that tell of it: NAME when it begins and NAME_ended.

    It is its name, so that rows are looked up by it.
    """

    began: type[Began]
    ended: type[Ended]

    @classmethod
    def declare(cls, name: str, begins: str, ends: str) -> "Lasting":
        """``begins`` and ``ends`` say what each event tells."""
        self = cls(name)
        self.began = new_class("Began", (Began,), {"kind": name}, lambda body: body.update(__doc__=begins))
        self.ended = new_class("Ended", (Ended,), {"kind": f"{name}_ended"}, lambda body: body.update(__doc__=ends))
        return self


def _fields(kind: type[Any]) -> Iterator[Field]:
    hints = get_type_hints(kind)
    for one in fields(kind):
        spread = "spread" in one.metadata
        yield Field(one.name, one.name.rstrip("_"), _types(hints[one.name]), spread, one.default)


def _types(hint: Any) -> tuple[type, ...]:
    """What ``isinstance`` may be asked about."""
    if hint is Any:
        return (object,)
    if hint is float:
        return (float, int)
    origin = get_origin(hint)
    if origin is None:
        return (hint,)
    if isinstance(origin, type) and origin.__name__ != "UnionType":
        return (origin,)
    if origin is Union or origin.__name__ == "UnionType":
        return tuple(one for part in get_args(hint) for one in _types(part))
    raise TypeError(f"a payload cannot hold {hint}")
