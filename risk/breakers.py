"""The three circuit breakers: what was lost, against what may be. PURE.

The same measures refuse at the order gate, where they are three of the eight checks, and halt whenever equity changes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from market.money import brief, canonical, exact, percent, ratio
from risk.limits import BotLimits, PortfolioLimits
from risk.measures import decline
from risk.verdicts import CheckResult

DRAWDOWN, DAILY_LOSS, PORTFOLIO_DRAWDOWN = "drawdown", "daily_loss", "portfolio_drawdown"


@dataclass(frozen=True, slots=True)
class BotStanding:
    """One bot's money in quote. ``day_start``: its equity when the UTC day began, None while that is not known."""

    capital: Decimal
    equity: Decimal
    peak: Decimal
    day_start: Decimal | None


@dataclass(frozen=True, slots=True)
class Fired:
    """A breaker whose limit is reached: the limit and the value as fractions of ``base``, and what they are in quote.

    ``overshoot`` is how far beyond its limit the loss had come when it was seen: a price may jump.
    """

    name: str
    limit: Decimal
    value: Decimal
    base: Decimal
    lost: Decimal
    allowed: Decimal
    note: str

    @property
    def overshoot(self) -> Decimal:
        """Lost beyond the limit, in quote; never below 0."""
        with exact():
            return self.lost - self.allowed

    def figures(self) -> Mapping[str, str]:
        """Exact strings, for the row of the halt."""
        return {
            "check": self.name,
            "limit": canonical(self.limit),
            "value": canonical(self.value),
            "lost": canonical(self.lost),
            "allowed": canonical(self.allowed),
            "overshoot": canonical(self.overshoot),
        }

    def sentence(self) -> str:
        """What was lost, and how far that is beyond the limit."""
        beyond = f"; {brief(self.overshoot)} ({percent(self.value - self.limit)}) beyond it" if self.overshoot else ""
        return f"{self.note}{beyond}"


def drawdown(peak: Decimal, equity: Decimal, limit: Decimal) -> CheckResult:
    """The bot's equity has declined by less than a fraction of its peak."""
    return decline(DRAWDOWN, peak, equity, limit, peak)


def daily_loss(day_start: Decimal, equity: Decimal, limit: Decimal, capital: Decimal) -> CheckResult:
    """Since the start of the UTC day the bot has lost less than a fraction of its capital."""
    return decline(DAILY_LOSS, day_start, equity, limit, capital)


def portfolio_drawdown(peak: Decimal, equity: Decimal, limit: Decimal) -> CheckResult:
    """The account's equity has declined by less than a fraction of its peak."""
    return decline(PORTFOLIO_DRAWDOWN, peak, equity, limit, peak)


def bot_breakers(bot: BotStanding, limits: BotLimits) -> tuple[Fired, ...]:
    """Which of a bot's two breakers are open."""
    peak = max(bot.peak, bot.equity)
    found = [_fired(drawdown(peak, bot.equity, limits.max_drawdown), peak, bot.equity, limits.max_drawdown, peak)]
    if bot.day_start is not None:
        measured = daily_loss(bot.day_start, bot.equity, limits.max_daily_loss, bot.capital)
        found.append(_fired(measured, bot.day_start, bot.equity, limits.max_daily_loss, bot.capital))
    return tuple(fired for fired in found if fired is not None)


def portfolio_breaker(equity: Decimal, peak: Decimal, limits: PortfolioLimits) -> Fired | None:
    """The account's breaker, when it is open."""
    peak = max(peak, equity)
    return _fired(portfolio_drawdown(peak, equity, limits.max_drawdown), peak, equity, limits.max_drawdown, peak)


def next_day(market_at: datetime) -> datetime:
    """The next 00:00 UTC: when a daily loss is over."""
    return market_at.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def _fired(measured: CheckResult, start: Decimal, now: Decimal, limit: Decimal, base: Decimal) -> Fired | None:
    """None while it holds, and where there is nothing to measure by: what never had money cannot have lost it, and the
    gate denies its entries for want of money."""
    if measured.passed or base <= 0:
        return None
    with exact():
        lost, allowed = start - now, limit * base
    return Fired(measured.name, limit, ratio(lost, base), base, lost, allowed, measured.note)
