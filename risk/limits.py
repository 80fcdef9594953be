"""The limits that the checks measure against: data, never code. PURE.

All fractions are exact Decimals (0.25 is 25 %). The rows of the database carry the same field names.
"""

from dataclasses import dataclass, fields
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class BotLimits:
    """Limits of one bot, as fractions of its capital or of its peak. Raises ValueError when one is out of bounds."""

    max_position: Decimal = Decimal("0.25")  # of the bot's capital, open and reserved together
    max_drawdown: Decimal = Decimal("0.20")  # decline from the bot's peak equity at which entries stop
    max_daily_loss: Decimal = Decimal("0.05")  # of the bot's capital, lost since the start of the UTC day
    streak_losses: int = 3  # losses in a row after which the size is halved, and halved again with each further one
    streak_floor: Decimal = Decimal("0.10")  # of the normal size: no streak shrinks it further

    def __post_init__(self) -> None:
        _require_fractions(self)
        if isinstance(self.streak_losses, bool) or not isinstance(self.streak_losses, int) or self.streak_losses < 1:
            raise ValueError(f"streak_losses must be a whole number of at least 1, not {self.streak_losses!r}")


@dataclass(frozen=True, slots=True)
class PortfolioLimits:
    """Limits of one account, as fractions of its equity or of its peak. Raises ValueError when one is out of bounds."""

    max_exposure: Decimal = Decimal("0.50")  # of the account's equity, all bots together
    max_asset: Decimal = Decimal("0.25")  # of the account's equity in one base asset
    max_drawdown: Decimal = Decimal("0.15")  # decline from the account's peak equity at which entries stop

    def __post_init__(self) -> None:
        _require_fractions(self)


def _require_fractions(limits: BotLimits | PortfolioLimits) -> None:
    for limit in fields(limits):
        if limit.type is not Decimal:
            continue
        value = getattr(limits, limit.name)
        # A limit of 0 would forbid everything and one of 1 nothing: both are mistakes, not limits.
        if not isinstance(value, Decimal) or not value.is_finite() or not 0 < value < 1:
            raise ValueError(f"{limit.name} must be a Decimal between 0 and 1, both excluded, not {value!r}")
