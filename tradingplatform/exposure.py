"""What is at stake now, as a person should see it before saying that all is well."""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from bots.models import Bot, BotStatus
from execution.models import Portfolio, Position
from execution.states import LIVE_POSITION
from execution.totals import equity
from market.money import decimals_shown
from risk.models import Halt


@dataclass(frozen=True, slots=True)
class AtStake:
    """One account. ``notional`` is what is held and reserved; it and equity are in ``quote``."""

    account: str
    mode: str
    quote: str
    positions: int
    notional: Decimal
    equity: Decimal

    def __str__(self) -> str:
        decimals = decimals_shown(self.quote)
        held = f"{self.positions} {'position' if self.positions == 1 else 'positions'}"
        return (
            f"account {self.account} ({self.mode}): {held}, {self.notional:,.{decimals}f} {self.quote} exposed"
            f" of {self.equity:,.{decimals}f} equity"
        )


@dataclass(frozen=True, slots=True)
class ShownExposure:
    """All accounts, the bots that may enter, and the halts in force."""

    accounts: tuple[AtStake, ...]
    running: int
    halts: tuple[str, ...]

    def lines(self) -> Iterator[str]:
        """For people, a line each."""
        yield from map(str, self.accounts)
        yield f"{self.running} {'bot' if self.running == 1 else 'bots'} running"
        yield from (f"halted: {halt}" for halt in self.halts)


def shown_exposure() -> ShownExposure:
    """By the rows of this moment."""
    return ShownExposure(
        accounts=tuple(_at_stake(each) for each in Portfolio.objects.select_related("account").order_by("account_id")),
        running=Bot.objects.filter(status=BotStatus.RUNNING).count(),
        halts=tuple(Halt.objects.filter(cleared_at=None).order_by("pk").values_list("text", flat=True)),
    )


def _at_stake(portfolio: Portfolio) -> AtStake:
    account = portfolio.account
    live = Position.objects.filter(account=account, status__in=list(LIVE_POSITION))
    return AtStake(account.name, account.mode, account.quote, live.count(), portfolio.exposure, equity(portfolio))
