"""A report of one account: rows -> tables. Every report is of one account, so that paper and live never mix."""

from dataclasses import dataclass
from datetime import UTC, datetime

from bots.models import Bot, ExchangeAccount
from execution.fills import CostModel
from execution.models import EquitySnapshot, Trade
from tradingplatform.reports import cost_rows, equity_rows, layout, profit_rows, tax_rows
from tradingplatform.reports.fifo import Matched, match
from tradingplatform.reports.period import Period, whole_year
from tradingplatform.reports.statistics import statistics
from tradingplatform.reports.table import Table

KINDS = ("profit", "costs", "statistics", "tax")
BY = {"profit": tuple(profit_rows.GROUPS), "costs": tuple(cost_rows.GROUPS)}
"""By what a report can be grouped; the first is the usual one. Reports not in it are not grouped."""

NO_ADVICE = (
    "First in, first out, over all bots of the account together, by calendar year in UTC. This is no tax advice: which "
    "method and which currency count is for your own law."
)


@dataclass(frozen=True, slots=True)
class TaxYear:
    """A year's disposals, their sums by symbol, and what is carried over into the next."""

    disposals: Table
    sums: Table
    carried: Table


def profit(account: ExchangeAccount, by: str, period: Period) -> Table:
    """Raises ValueError for a grouping that there is not."""
    _require("profit", by)
    title = _title(f"Profit by {by}", account, period)
    return layout.profit_table(by, profit_rows.results_by(by, account.pk, period), title, account.quote)


def costs(account: ExchangeAccount, by: str, period: Period) -> Table:
    """Raises ValueError for a grouping that there is not."""
    _require("costs", by)
    title = _title(f"Costs by {by}", account, period)
    return layout.costs_table(by, cost_rows.costs_by(by, account, period), CostModel(), title, account.quote)


def figures(account: ExchangeAccount, period: Period) -> Table:
    """Return, risk and drawdown of the account and of each of its bots."""
    whole = statistics(equity_rows.account_days(account.pk, period))
    days = equity_rows.bot_days(account.pk, period)
    names = Bot.objects.filter(account=account).values_list("pk", "name")
    bots = {name: statistics(days.get(pk, [])) for pk, name in names}
    return layout.statistics_table(account.name, whole, bots, _title("Statistics", account, period))


def tax(account: ExchangeAccount, year: int) -> TaxYear:
    """Raises fifo.Unmatched, and ValueError for a year that is none."""
    period = whole_year(year)
    matched = _until(account, period)
    inside = [one for one in matched.disposals if period.since is None or one.disposed_at >= period.since]
    quote = account.quote
    return TaxYear(
        layout.disposals_table(inside, _title("Disposals", account, period), quote),
        layout.sums_table(inside, _title("Gains", account, period), quote),
        layout.carried_table(matched.lots, _title("Carried over after", account, period), quote),
    )


def newest(account: ExchangeAccount, kind: str) -> datetime | None:
    """Market time of the last row that a report of this kind is made of; None where there is none yet."""
    if kind == "statistics":
        snapshots = EquitySnapshot.objects.filter(account=account).order_by("-market_at")
        times = snapshots.values_list("market_at", flat=True)
        return times.filter(bot=None).first() or times.first()  # bots have theirs before all of the account is valued
    return Trade.objects.filter(account=account).order_by("-pk").values_list("executed_at", flat=True).first()


def _until(account: ExchangeAccount, period: Period) -> Matched:
    """Everything that was matched before the period's end."""
    end = period.until or datetime.max.replace(tzinfo=UTC)
    return match(lot for lot in tax_rows.lots(account.pk) if lot.at < end)


def _require(kind: str, by: str) -> None:
    if by not in BY[kind]:
        raise ValueError(f"{kind} is not told apart by {by!r}: choose {', '.join(BY[kind])}")


def _title(what: str, account: ExchangeAccount, period: Period) -> str:
    return f"{what}: account {account.name}, {account.mode.lower()}, {period.label}"
