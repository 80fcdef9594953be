"""What closed positions made: wins, losses, profit factor, and whatever else follows from their profits. PURE."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from market.money import ZERO, exact, exact_sum, ratio


@dataclass(frozen=True, slots=True)
class Result:
    """Closed positions taken together. Amounts in quote, fees inside; times in seconds of market time.

    A position that made exactly 0 is neither a win nor a loss. ``lost`` is 0 or below, like the profits in it.
    """

    closed: int = 0
    wins: int = 0
    losses: int = 0
    profit: Decimal = ZERO
    gained: Decimal = ZERO
    lost: Decimal = ZERO
    best: Decimal | None = None
    worst: Decimal | None = None
    fees: Decimal = ZERO
    held_s: float = 0.0

    @property
    def win_rate(self) -> Decimal | None:
        """Wins / closed."""
        return _of(Decimal(self.wins), self.closed)

    @property
    def expectancy(self) -> Decimal | None:
        """Profit / closed, to 12 decimals: what one position makes on average. It is the same as win rate x average win
        + loss rate x average loss (Van Tharp, Trade Your Way to Financial Freedom, 1998)."""
        return _of(self.profit, self.closed)

    @property
    def average_win(self) -> Decimal | None:
        return _of(self.gained, self.wins)

    @property
    def average_loss(self) -> Decimal | None:
        """Below 0."""
        return _of(self.lost, self.losses)

    @property
    def profit_factor(self) -> Decimal | None:
        """What was won / what was lost, to 12 decimals; None where nothing was lost."""
        return ratio(self.gained, -self.lost) if self.lost else None

    @property
    def average_held_s(self) -> float | None:
        return self.held_s / self.closed if self.closed else None


def result_of(profits: Sequence[Decimal], fees: Iterable[Decimal] = (), held_s: float = 0.0) -> Result:
    """Positions with these profits and fees, which were held for so many seconds together."""
    won, lost = [one for one in profits if one > 0], [one for one in profits if one < 0]
    with exact():
        gained, given = sum(won, ZERO), sum(lost, ZERO)
        return Result(
            closed=len(profits),
            wins=len(won),
            losses=len(lost),
            profit=gained + given,
            gained=gained,
            lost=given,
            best=max(profits, default=None),
            worst=min(profits, default=None),
            fees=sum(fees, ZERO),
            held_s=held_s,
        )


def together(results: Iterable[Result]) -> Result:
    """All of them as one."""
    found = list(results)
    with exact():
        return Result(
            closed=sum(one.closed for one in found),
            wins=sum(one.wins for one in found),
            losses=sum(one.losses for one in found),
            profit=sum((one.profit for one in found), ZERO),
            gained=sum((one.gained for one in found), ZERO),
            lost=sum((one.lost for one in found), ZERO),
            best=max((one.best for one in found if one.best is not None), default=None),
            worst=min((one.worst for one in found if one.worst is not None), default=None),
            fees=sum((one.fees for one in found), ZERO),
            held_s=sum(one.held_s for one in found),
        )


def moved(parts: Iterable[Result]) -> Decimal:
    """What the parts won and what they lost, both above 0, added up.

    A part's share is of this, and not of what is left of it: where gains and losses nearly balance, that would be
    thousands of percent.
    """
    return exact_sum(abs(one.profit) for one in parts)


def _of(total: Decimal, number: int) -> Decimal | None:
    return ratio(total, Decimal(number)) if number else None
