"""A fleet as frozen values: what the file says, before anyone looks at what exists. PURE."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from bots.ai import AiMode, OnFailure


@dataclass(frozen=True, slots=True)
class Origin:
    """Where in the file something was said: how to call it, its first line, and the line of each of its fields."""

    label: str = ""
    line: int = 1
    lines: Mapping[str, int] = field(default_factory=dict)

    def line_of(self, name: str) -> int:
        return self.lines.get(name, self.line)


@dataclass(frozen=True, slots=True)
class AccountSpec:
    """The account: its own capital, in its quote currency."""

    name: str
    quote: str
    capital: Decimal
    origin: Origin = field(default=Origin(), compare=False)


@dataclass(frozen=True, slots=True)
class BotSpec:
    """One bot. ``parameters`` are those given; the strategy's defaults stand for the rest."""

    name: str
    strategy: str
    symbol: str
    timeframe: str
    capital: Decimal
    parameters: Mapping[str, object] = field(default_factory=dict)
    origin: Origin = field(default=Origin(), compare=False)
    ai_mode: str = AiMode.OFF.value
    ai_on_failure: str = OnFailure.DENY.value


@dataclass(frozen=True, slots=True)
class Fleet:
    """A whole file. Names are unique; every bot is well defined and its symbol exists."""

    account: AccountSpec
    bots: tuple[BotSpec, ...]
    source: str = "fleet.toml"
