"""Profit, balances, exposure and limits, as frozen values.

Totals come from the books that are kept under the portfolio lock; what is summed here is a stretch of time, read as
plain columns: money has no sums in SQL.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal

from django.db.models import Count

from bots.models import Bot
from execution.models import AssetBalance, AssetExposure, EquitySnapshot, Portfolio, Position
from execution.states import PositionStatus
from market.clock import Now
from market.money import ZERO, exact, ratio
from notifications.lists.days import midnight
from risk.models import BotRiskLimits, PortfolioRiskLimits
from tradingplatform.reports.results import Result, result_of
from tradingplatform.telegram_commands.fleet_rows import AccountLine, accounts, bot_lines

LOOKED_AT = 5_000
"""Closed positions that statistics are made of: the latest."""

MOST_POINTS = 400


@dataclass(frozen=True, slots=True)
class Period:
    """What was made of the positions that were closed in it, in quote."""

    begins: date
    made: Result


@dataclass(frozen=True, slots=True)
class Made:
    """What one bot, or all bots of a symbol, made since the beginning."""

    name: str
    quote: str
    profit: Decimal
    won: int
    lost: int
    capital: Decimal


@dataclass(frozen=True, slots=True)
class Statistics:
    """Of the ``looked_at`` latest closed positions; durations are seconds of market time."""

    looked_at: int
    quote: str
    by_reason: dict[str, int]
    made: Result
    held_won_s: float
    held_lost_s: float


@dataclass(frozen=True, slots=True)
class Balance:
    """One asset of an account. ``worth`` in quote, None where no price of it is known."""

    asset: str
    amount: Decimal
    untracked: Decimal
    worth: Decimal | None


@dataclass(frozen=True, slots=True)
class Nearness:
    """How much of a limit is used: 1 is all of it."""

    name: str
    drawdown: Decimal
    daily_loss: Decimal


@dataclass(frozen=True, slots=True)
class AccountRisk:
    """One account against its limits, as fractions."""

    account: AccountLine
    max_exposure: Decimal
    max_asset: Decimal
    max_drawdown: Decimal
    assets: list[tuple[str, Decimal]] = field(default_factory=list)


def month_of(day: date) -> date:
    return day.replace(day=1)


def week_of(day: date) -> date:
    """Its Monday."""
    return day - timedelta(days=day.weekday())


def day_of(day: date) -> date:
    return day


def first_of(number: int, begins: Callable[[date], date], today: date) -> date:
    """Where the ``number``-th period back begins, today's counted as the first."""
    start = begins(today)
    for _ in range(number - 1):
        start = begins(start - timedelta(days=1))
    return start


def periods(number: int, begins: Callable[[date], date], now: Now) -> dict[str, list[Period]]:
    """By quote currency: the latest periods (market time), the newest first, without those in which nothing closed."""
    first = first_of(number, begins, now.market_at.date())
    since = midnight(first)  # a moment: SQLite asks Python for the date of each row
    closed = Position.objects.filter(status__exact=PositionStatus.CLOSED, closed_at__gte=since)
    found: dict[str, dict[date, list[Decimal]]] = {}
    rows = closed.order_by().values_list("symbol", "closed_at", "realised").iterator(chunk_size=5_000)
    for symbol, closed_at, realised in rows:
        if closed_at is not None:  # never of a closed one: a constraint keeps it
            by = found.setdefault(symbol.partition("/")[2], {})
            by.setdefault(begins(closed_at.date()), []).append(realised)
    return {
        quote: [Period(start, result_of(profits)) for start, profits in sorted(by.items(), reverse=True)]
        for quote, by in found.items()
    }


def made_by_bot(now: Now) -> list[Made]:
    """The best first, by what it made of its capital."""
    lines = [line for _, line in bot_lines(now)]
    made = [Made(line.name, line.quote, line.realised, line.wins, line.losses, line.capital) for line in lines]
    return sorted(made, key=lambda one: -ratio(one.profit, one.capital))


def made_by_symbol(now: Now) -> list[Made]:
    """The best first."""
    found: dict[str, Made] = {}
    with exact():
        for _, line in bot_lines(now):
            before = found.get(line.symbol) or Made(line.symbol, line.quote, ZERO, 0, 0, ZERO)
            found[line.symbol] = Made(
                line.symbol,
                line.quote,
                before.profit + line.realised,
                before.won + line.wins,
                before.lost + line.losses,
                before.capital + line.capital,
            )
    return sorted(found.values(), key=lambda one: -one.profit)


def statistics() -> list[Statistics]:
    """One for each quote currency, of the latest closed positions."""
    latest = Position.objects.filter(status__exact=PositionStatus.CLOSED).order_by("-pk")[:LOOKED_AT]
    rows = latest.values_list("symbol", "realised", "opened_at", "closed_at", "exit_reason")
    by_quote: dict[str, list[tuple[Decimal, float, str]]] = {}
    for symbol, realised, opened_at, closed_at, reason in rows:
        by_quote.setdefault(symbol.partition("/")[2], []).append((realised, _seconds(opened_at, closed_at), reason))
    return [_statistics(quote, found) for quote, found in sorted(by_quote.items())]


def balances(portfolio: Portfolio) -> list[Balance]:
    """Of one account, those with anything in them, at the marks of what is held."""
    marks = _marks(portfolio.account_id)
    found = []
    with exact():
        for row in AssetBalance.objects.filter(account=portfolio.account_id):
            has = row.amount + row.untracked
            price = Decimal(1) if row.asset == portfolio.account.quote else marks.get(row.asset)
            if has:
                found.append(Balance(row.asset, row.amount, row.untracked, None if price is None else has * price))
    return sorted(found, key=lambda one: -(one.worth or ZERO))


def portfolios() -> list[Portfolio]:
    return list(Portfolio.objects.select_related("account").order_by("account_id"))


def account_risks(now: Now) -> list[AccountRisk]:
    return [_account_risk(account) for account in accounts(now)]


def nearest(now: Now, most: int) -> list[Nearness]:
    """The bots that have used most of what they may lose, the nearest to a limit first."""
    limits = {row.bot_id: row for row in BotRiskLimits.objects.all()}
    ids = dict(Bot.objects.values_list("name", "pk"))
    found = []
    for _, line in bot_lines(now):
        row = limits.get(ids.get(line.name, 0))
        if row is None:
            continue
        with exact():
            fallen, lost = line.peak_equity - line.equity, -line.today
        drawdown = ratio(ratio(fallen, line.peak_equity), row.max_drawdown)
        found.append(Nearness(line.name, drawdown, ratio(ratio(lost, line.capital), row.max_daily_loss)))
    found.sort(key=lambda one: -max(one.drawdown, one.daily_loss))
    return [one for one in found[:most] if max(one.drawdown, one.daily_loss) > 0]


def equity_points(account_id: int, since: datetime) -> list[tuple[datetime, Decimal]]:
    """The account's equity over time, oldest first, thinned to what a picture shows."""
    snapshots = EquitySnapshot.objects.filter(account_id=account_id, bot=None, market_at__gte=since)
    number = snapshots.aggregate(number=Count("pk"))["number"] or 0
    every = max(1, number // MOST_POINTS)
    rows = list(snapshots.order_by("market_at").values_list("pk", "market_at"))
    kept = [pk for place, (pk, _) in enumerate(rows) if place % every == 0 or place == number - 1]
    points = EquitySnapshot.objects.filter(pk__in=kept).order_by("market_at")
    return list(points.values_list("market_at", "equity"))


def _marks(account_id: int) -> dict[str, Decimal]:
    """Of each base asset, the price at which it was valued last."""
    held = Position.objects.filter(account_id=account_id, mark_price__isnull=False, status__exact=PositionStatus.OPEN)
    rows = held.order_by("marked_at").values_list("symbol", "mark_price")
    return {symbol.partition("/")[0]: price for symbol, price in rows if price is not None}


def _account_risk(account: AccountLine) -> AccountRisk:
    limits = PortfolioRiskLimits.objects.filter(account__name=account.name).first()
    rows = AssetExposure.objects.filter(portfolio__account__name=account.name).values_list("asset", "exposure")
    assets = sorted(((asset, exposure) for asset, exposure in rows if exposure), key=lambda pair: -pair[1])
    if limits is None:
        return AccountRisk(account, ZERO, ZERO, ZERO, assets)
    return AccountRisk(account, limits.max_exposure, limits.max_asset, limits.max_drawdown, assets)


def _statistics(quote: str, found: list[tuple[Decimal, float, str]]) -> Statistics:
    return Statistics(
        looked_at=len(found),
        quote=quote,
        by_reason=dict(Counter(reason or "other" for _, _, reason in found).most_common()),
        made=result_of([profit for profit, _, _ in found]),
        held_won_s=_mean(held for profit, held, _ in found if profit > 0),
        held_lost_s=_mean(held for profit, held, _ in found if profit < 0),
    )


def _mean(seconds: Iterable[float]) -> float:
    values = list(seconds)
    return sum(values) / len(values) if values else 0.0


def _seconds(opened_at: datetime | None, closed_at: datetime | None) -> float:
    return (closed_at - opened_at).total_seconds() if opened_at and closed_at else 0.0
