"""Return, risk and drawdown from daily equity. PURE; the same for an account, a bot and a backtest.

A year has 365 days, because the market has no other; the risk-free rate is 0. Money is exact up to here; ratios are
floats.

Capital that comes in or goes out is neither profit nor loss: returns are time-weighted by the day (daily valuation and
chain-linking, as in the Global Investment Performance Standards; Bacon, Practical Portfolio Performance Measurement and
Attribution, 2nd ed. 2008, ch. 2). Within a day, what came in counts as there since its beginning and what went out as
there until its end: of what may have earned the day's profit, the most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate, pairwise
from math import fsum, sqrt
from operator import mul

from market.money import ZERO, exact

DAYS_A_YEAR = 365
LEAST_DAYS = 30
"""Of fewer daily returns nothing is told by the year: a week of luck would read as thousands of percent."""

ONE_DAY = timedelta(days=1)

AS_HIGH = 1 - 1e-12
"""Of a peak, from where on it is reached again: equity that is back to the last digit is so only nearly as a product of
floats."""


@dataclass(frozen=True, slots=True)
class DayValue:
    """The last equity of a UTC day, and the capital that was in it by then, both in quote. Their difference is all the
    profit so far."""

    day: date
    equity: Decimal
    capital: Decimal


@dataclass(frozen=True, slots=True)
class Drawdown:
    """The deepest fall of what 1 became: ``depth`` as a fraction of its peak, 0 where it never fell.

    ``begin`` is the day of the peak, ``recovery`` the first day that was as high again (None: not yet).
    """

    depth: float
    begin: date
    trough: date
    recovery: date | None
    days: int


@dataclass(frozen=True, slots=True)
class Annual:
    """Figures by the year, as fractions and ratios. None where there is nothing to divide by."""

    cagr: float
    volatility: float
    sharpe: float | None
    sortino: float | None
    calmar: float | None


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of ``days`` daily returns, of which ``missing`` had no value of their own and count as 0. ``annual`` is None for
    fewer than LEAST_DAYS."""

    begin: date
    end: date
    days: int
    missing: int
    total_return: float
    drawdown: Drawdown
    annual: Annual | None


def statistics(values: Sequence[DayValue]) -> Statistics | None:
    """Of daily values, oldest first, the first being what was there the evening before. None for fewer than two.

    Raises ValueError for days that do not ascend.
    """
    if len(values) < 2:
        return None
    whole = without_gaps(values)
    returns = daily_returns(whole)
    wealth = [1.0, *accumulate((1 + one for one in returns), mul)]
    drawdown = max_drawdown([value.day for value in whole], wealth)
    return Statistics(
        begin=whole[0].day,
        end=whole[-1].day,
        days=len(returns),
        missing=len(whole) - len(values),
        total_return=wealth[-1] - 1,
        drawdown=drawdown,
        annual=annual(returns, wealth[-1], drawdown.depth) if len(returns) >= LEAST_DAYS else None,
    )


def without_gaps(values: Sequence[DayValue]) -> list[DayValue]:
    """A value for every day: one that is missing is the day's before. Raises ValueError for days that do not ascend."""
    whole = list(values[:1])
    for before, value in pairwise(values):
        if value.day <= before.day:
            raise ValueError(f"{value.day} does not come after {before.day}")
        gap = (value.day - before.day).days
        whole += [DayValue(before.day + ONE_DAY * n, before.equity, before.capital) for n in range(1, gap)]
        whole.append(value)
    return whole


def daily_returns(values: Sequence[DayValue]) -> list[float]:
    """The day's profit / (equity the evening before + capital that came in); 0 where nothing was at stake."""
    with exact():
        moves = [(before.equity, value.equity, value.capital - before.capital) for before, value in pairwise(values)]
        earned = [(after - before - came, before + max(came, ZERO)) for before, after, came in moves]
    return [float(profit) / float(stake) if stake > 0 else 0.0 for profit, stake in earned]


def annual(returns: Sequence[float], wealth: float, depth: float) -> Annual:
    """At least two daily returns, what 1 became through them, and the deepest drawdown.

    - CAGR: wealth ^ (365 / days) - 1.
    - Volatility: the sample standard deviation (n - 1) x sqrt(365).
    - Sharpe: mean / standard deviation x sqrt(365) (Sharpe, The Sharpe Ratio, Journal of Portfolio Management, 1994).
    - Sortino: mean / downside deviation x sqrt(365), where the downside deviation is sqrt(sum of min(r, 0)^2 / n) over
      all n days (Sortino and Price, Performance Measurement in a Downside Risk Framework, Journal of Investing, 1994).
    - Calmar: CAGR / maximum drawdown (Young, Calmar Ratio: A Smoother Tool, Futures 20, 1991), of the whole stretch
      instead of 36 months.
    """
    number, year = len(returns), sqrt(DAYS_A_YEAR)
    mean = fsum(returns) / number
    deviation = sqrt(fsum((one - mean) ** 2 for one in returns) / (number - 1))
    downside = sqrt(fsum(min(one, 0.0) ** 2 for one in returns) / number)
    cagr = wealth ** (DAYS_A_YEAR / number) - 1 if wealth > 0 else -1.0
    return Annual(
        cagr=cagr,
        volatility=deviation * year,
        sharpe=_ratio(mean * year, deviation),
        sortino=_ratio(mean * year, downside),
        calmar=_ratio(cagr, depth),
    )


def max_drawdown(days: Sequence[date], wealth: Sequence[float]) -> Drawdown:
    """The deepest fall from a peak: 1 - wealth / highest wealth before it (Magdon-Ismail and Atiya, Maximum Drawdown,
    Risk 17, 2004). Of two that are as deep, the first. Not empty, one wealth for each day."""
    peak = trough = top = 0
    depth = 0.0
    for place, value in enumerate(wealth):
        if value >= wealth[top] * AS_HIGH:
            top = place
        fall = 1 - value / wealth[top] if wealth[top] > 0 else 0.0
        if fall > depth:
            depth, peak, trough = fall, top, place
    again = (place for place in range(trough, len(wealth)) if wealth[place] >= wealth[peak] * AS_HIGH)
    back = next(again, None) if depth else peak
    last = days[-1] if back is None else days[back]
    return Drawdown(depth, days[peak], days[trough], None if back is None else days[back], (last - days[peak]).days)


def _ratio(part: float, whole: float) -> float | None:
    """None where ``whole`` is 0, or so near that only rounding of floats is left of it."""
    return part / whole if whole > 1e-12 else None
