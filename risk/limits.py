"""The limits that the checks measure against: data, never code. PURE.

All fractions are exact Decimals (0.25 is 25 %). The rows of the database carry the same field names.
"""

from dataclasses import dataclass, fields
from decimal import Decimal

LARGEST_WHOLE = 32_767
"""Of a limit that counts something: what its column holds."""


@dataclass(frozen=True, slots=True)
class BotLimits:
    """Limits of one bot, as fractions of its capital or of its peak. Raises ValueError when one is out of bounds."""

    max_position: Decimal = Decimal("0.25")  # of the bot's capital, open and reserved together
    max_drawdown: Decimal = Decimal("0.20")  # decline from the bot's peak equity at which entries stop
    max_daily_loss: Decimal = Decimal("0.05")  # of the bot's capital, lost since the start of the UTC day
    streak_losses: int = 3  # losses in a row after which the size is halved, and halved again with each further one
    streak_floor: Decimal = Decimal("0.10")  # of the normal size: no streak shrinks it further
    max_orders_per_minute: int = 10  # of market time, of any purpose: beyond it nothing is entered

    def __post_init__(self) -> None:
        _require_fractions(self)
        _require_whole(self)


@dataclass(frozen=True, slots=True)
class PortfolioLimits:
    """Limits of one account, as fractions of its equity or of its peak. Raises ValueError when one is out of bounds."""

    max_exposure: Decimal = Decimal("0.50")  # of the account's equity, all bots together
    max_asset: Decimal = Decimal("0.25")  # of the account's equity in one base asset
    max_drawdown: Decimal = Decimal("0.15")  # decline from the account's peak equity at which entries stop
    max_order: Decimal = Decimal("0.25")  # of the account's equity: the notional of one entry
    price_collar: Decimal = Decimal("0.02")  # of the close: how far the price to pay may be from it
    max_orders_per_minute: int = 200  # of market time, all bots together, of any purpose

    def __post_init__(self) -> None:
        _require_fractions(self)
        _require_whole(self)


def _require_fractions(limits: BotLimits | PortfolioLimits) -> None:
    for limit in fields(limits):
        if limit.type is not Decimal:
            continue
        value = getattr(limits, limit.name)
        # A limit of 0 would forbid everything and one of 1 nothing: both are mistakes, not limits.
        if not isinstance(value, Decimal) or not value.is_finite() or not 0 < value < 1:
            raise ValueError(f"{limit.name} must be a Decimal between 0 and 1, both excluded, not {value!r}")


def _require_whole(limits: BotLimits | PortfolioLimits) -> None:
    for limit in fields(limits):
        if limit.type is not int:
            continue
        value = getattr(limits, limit.name)
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST_WHOLE:
            raise ValueError(
                f"{limit.name} must be a whole number of at least 1, at most {LARGEST_WHOLE}, not {value!r}"
            )
