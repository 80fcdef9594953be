"""PURE. A request's parameters, read by name and type, with Binance's complaint when they are wrong."""

from __future__ import annotations

import re
from decimal import Decimal
from urllib.parse import parse_qsl

import orjson

from simexchange.errors import parameter_errors

_INTEGER = re.compile(r"^[0-9]{1,20}$")
_LARGEST = 2**63 - 1
_DECIMAL = re.compile(r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
_CLIENT_ID = re.compile(r"^[a-zA-Z0-9-_]{1,36}$")
_SYMBOL = re.compile(r"^[A-Z0-9-_.]{1,20}$")


class Params:
    """Parameters of the query string and of a form body together, as Binance takes them: one that is in both counts as
    the query string has it.

    It remembers which names were asked for: sending one that nobody reads is an error (-1104).
    """

    def __init__(self, query: str, body: str = "") -> None:
        parts = [parse_qsl(part, keep_blank_values=True) for part in (body, query)]
        self._values = dict(parts[0] + parts[1])
        self._doubled = any(len(dict(part)) < len(part) for part in parts)
        self._read: set[str] = set()

    @property
    def sent(self) -> dict[str, str]:
        """All of them as they came, for those who do not speak Binance's language of complaints."""
        return dict(self._values)

    def text(self, name: str) -> str | None:
        self._read.add(name)
        value = self._values.get(name)
        if value == "":
            raise parameter_errors.empty(name)
        return value

    def required(self, name: str) -> str:
        value = self._values.get(name)
        self._read.add(name)
        if not value:
            raise parameter_errors.missing(name)
        return value

    def integer(self, name: str) -> int | None:
        value = self.text(name)
        if value is None:
            return None
        if not _INTEGER.match(value) or int(value) > _LARGEST:
            raise parameter_errors.illegal_characters(name, "^[0-9]{1,20}$")
        return int(value)

    def amount(self, name: str) -> Decimal | None:
        """A positive decimal of at most eight places."""
        value = self.text(name)
        if value is None:
            return None
        if not _DECIMAL.match(value):
            raise parameter_errors.illegal_characters(name, r"^([0-9]{1,20})(\.[0-9]{1,20})?$")
        if len(value.partition(".")[2].rstrip("0")) > 8:
            raise parameter_errors.too_precise(name)
        return Decimal(value)

    def limit(self, default: int, most: int) -> int:
        """How many items to return; more than the most is cut to it, as Binance does for klines."""
        value = self.integer("limit")
        if value is None:
            return default
        if value == 0:
            raise parameter_errors.bad_data("limit")
        return min(value, most)

    def client_id(self, name: str) -> str | None:
        value = self.text(name)
        if value is not None and not _CLIENT_ID.match(value):
            raise parameter_errors.illegal_characters(name, "^[a-zA-Z0-9-_]{1,36}$")
        return value

    def either_id(self, number: str, text: str) -> tuple[int | None, str | None]:
        """An id that the exchange gave, or one that the client gave, or both; -1102 when neither is sent."""
        found = self.integer(number), self.client_id(text)
        if found == (None, None):
            raise parameter_errors.missing_either(text, number)
        return found

    def symbol(self) -> str:
        value = self.required("symbol")
        if not _SYMBOL.match(value):
            raise parameter_errors.illegal_characters("symbol", "^[A-Z0-9-_.]{1,20}$")
        return value

    def symbols(self) -> list[str] | None:
        """The ``symbol`` or the ``symbols`` (a JSON list) asked for; None when neither is sent."""
        listed = self.text("symbols")
        if self.text("symbol") is not None:
            if listed is not None:
                raise parameter_errors.bad_combination()
            return [self.symbol()]
        if listed is None:
            return None
        try:
            names = orjson.loads(listed)
        except orjson.JSONDecodeError:
            names = None
        if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
            raise parameter_errors.illegal_characters("symbols", r'^\["[A-Z0-9-_.]{1,20}"(,"[A-Z0-9-_.]{1,20}"){0,}\]$')
        return names

    def one_symbol(self) -> bool:
        """Whether exactly the single ``symbol`` form was used: such answers are an object, not a list."""
        return "symbol" in self._values

    def flag(self, name: str) -> bool:
        return self.text(name) == "true"

    def ignore(self, *names: str) -> None:
        """Accept parameters that have no effect here."""
        self._read.update(names)

    def refuse_doubled(self) -> None:
        if self._doubled:
            raise parameter_errors.duplicate_parameter()

    def refuse_unread(self) -> None:
        unknown = self._values.keys() - self._read
        if unknown:
            raise parameter_errors.unread(len(self._values) - len(unknown), len(self._values))
