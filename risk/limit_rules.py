"""How one limit is read, what it may be, and which way loosens it. PURE."""

from dataclasses import fields, replace
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from market.money import canonical
from market.slots import slot_at, slot_start_ms
from risk.limits import LARGEST_WHOLE, BotLimits, PortfolioLimits

Value = Decimal | int
L = TypeVar("L", BotLimits, PortfolioLimits)

DECIMALS = 12
"""Of a fraction. What is finer is a slip of the finger, and its text would not fit its column."""

HIGHER_LOOSENS = frozenset(
    {
        "max_position",
        "max_drawdown",
        "max_daily_loss",
        "streak_losses",  # the size is halved later
        "streak_floor",  # it shrinks less far
        "max_orders_per_minute",
        "max_exposure",
        "max_asset",
        "max_order",
        "price_collar",
    }
)
"""Every limit there is: each bounds something from above. One that works the other way is named here as such first."""


def names_of(kind: type[BotLimits] | type[PortfolioLimits]) -> tuple[str, ...]:
    """The limits of a bot, or of an account, in their order."""
    return tuple(limit.name for limit in fields(kind))


def loosens(name: str, before: Value, after: Value) -> bool:
    """Whether the change lets more through. Raises LookupError for a limit whose direction is not known."""
    if name not in HIGHER_LOOSENS:
        raise LookupError(f"nobody has said which way loosens {name}")
    return after > before


def read_limit(kind: type[BotLimits] | type[PortfolioLimits], name: str, text: str) -> Value:
    """A limit as typed. Raises ValueError, saying what is allowed, for an unknown name, no number, or one out of
    bounds."""
    if name not in names_of(kind):
        raise ValueError(f"there is no limit {name!r}: there is {', '.join(names_of(kind))}")
    whole = next(limit.type is int for limit in fields(kind) if limit.name == name)
    value = _whole(name, text) if whole else _fraction(name, text)
    kind(**{name: value})  # type: ignore[arg-type]  # its bounds decide
    return value


def with_limit(limits: L, name: str, value: Value) -> L:
    """The limits with one of them changed. Raises ValueError when it is out of bounds."""
    return replace(limits, **{name: value})  # type: ignore[arg-type]  # the name is one of its fields


def plain(value: Value) -> str:
    """The limit as an exact string, one for each value."""
    return canonical(value) if isinstance(value, Decimal) else str(value)


def next_start_ms(market_ms: int, interval_s: int) -> int:
    """When the next slot begins: a loosening made now may not help the signal of the slot that it was made in."""
    return slot_start_ms(slot_at(market_ms, interval_s) + 1, interval_s)


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > len(str(LARGEST_WHOLE)):
        raise ValueError(f"{name} must be a whole number from 1 to {LARGEST_WHOLE}, not {text!r}")
    return int(text)


def _fraction(name: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 < value < 1:
        raise ValueError(f"{name} must be above 0 and below 1 (0.25 is 25 %), not {text!r}")
    exponent = value.normalize().as_tuple().exponent
    if isinstance(exponent, int) and -exponent > DECIMALS:
        raise ValueError(f"{name} may have {DECIMALS} decimals, not as many as {text!r}")
    return value
