"""Which figures each report shows, in which order. PURE: results in, tables out."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from execution.fills import CostModel
from market.money import canonical, exact, exact_sum, ratio
from tradingplatform.reports.costs import Costs, assumed, costs_together
from tradingplatform.reports.fifo import Disposal, Lot
from tradingplatform.reports.results import Result, moved, together
from tradingplatform.reports.statistics import LEAST_DAYS, Statistics
from tradingplatform.reports.table import Column, Instead, Kind, Table

WEEKDAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
TOO_FEW = Instead("too few days")
NOT_YET = Instead("not yet")

_PROFIT = (
    Column("closed", "closed", Kind.COUNT),
    Column("wins", "wins", Kind.COUNT),
    Column("losses", "losses", Kind.COUNT),
    Column("win_rate", "win rate", Kind.PART),
    Column("profit", "profit", Kind.PROFIT),
    Column("share", "share", Kind.PART),
    Column("expectancy", "expectancy", Kind.PROFIT),
    Column("average_win", "average win", Kind.PROFIT),
    Column("average_loss", "average loss", Kind.PROFIT),
    Column("profit_factor", "profit factor", Kind.RATIO),
    Column("best", "best", Kind.PROFIT),
    Column("worst", "worst", Kind.PROFIT),
    Column("held_s", "held on average", Kind.SPAN),
    Column("fees", "fees", Kind.MONEY),
)

_COSTS = (
    Column("fills", "fills", Kind.COUNT),
    Column("notional", "traded", Kind.MONEY),
    Column("fees", "fees", Kind.MONEY),
    Column("fee_bp", "fees", Kind.BP),
    Column("fees_assumed", "fees assumed", Kind.MONEY),
    Column("slippage", "slippage", Kind.PROFIT),
    Column("slippage_bp", "slippage", Kind.BP),
    Column("slippage_assumed", "slippage assumed", Kind.MONEY),
    Column("more_than_assumed", "more than assumed", Kind.PROFIT),
)

_STATISTICS = (
    Column("whose", "account or bot", Kind.TEXT),
    Column("days", "measured", Kind.DAYS),
    Column("missing", "without a value", Kind.DAYS),
    Column("total_return", "return", Kind.PART),
    Column("cagr", "CAGR", Kind.PART),
    Column("volatility", "volatility", Kind.PART),
    Column("sharpe", "Sharpe", Kind.RATIO),
    Column("sortino", "Sortino", Kind.RATIO),
    Column("calmar", "Calmar", Kind.RATIO),
    Column("max_drawdown", "max. drawdown", Kind.PART),
    Column("drawdown_begin", "began", Kind.DAY),
    Column("drawdown_trough", "trough", Kind.DAY),
    Column("drawdown_recovery", "recovered", Kind.DAY),
    Column("drawdown_days", "drawdown", Kind.DAYS),
)

_DISPOSALS = (
    Column("symbol", "symbol", Kind.TEXT),
    Column("acquired_at", "acquired", Kind.MOMENT),
    Column("disposed_at", "disposed", Kind.MOMENT),
    Column("amount", "amount", Kind.BASE),
    Column("proceeds", "proceeds", Kind.MONEY),
    Column("cost", "cost", Kind.MONEY),
    Column("fees", "fees", Kind.MONEY),
    Column("gain", "gain", Kind.PROFIT),
    Column("holding_days", "held", Kind.DAYS),
    Column("acquired_by", "acquired by", Kind.TEXT),
    Column("disposed_by", "disposed by", Kind.TEXT),
    Column("acquired_trade", "acquiring trade", Kind.TEXT),
    Column("disposed_trade", "disposing trade", Kind.TEXT),
)

_SUMS = (
    Column("symbol", "symbol", Kind.TEXT),
    Column("disposals", "disposals", Kind.COUNT),
    Column("amount", "amount", Kind.BASE),
    Column("proceeds", "proceeds", Kind.MONEY),
    Column("cost", "cost", Kind.MONEY),
    Column("fees", "fees", Kind.MONEY),
    Column("gain", "gain", Kind.PROFIT),
)

_LOTS = (
    Column("symbol", "symbol", Kind.TEXT),
    Column("acquired_at", "acquired", Kind.MOMENT),
    Column("amount", "amount", Kind.BASE),
    Column("cost", "cost", Kind.MONEY),
    Column("fees", "fees", Kind.MONEY),
    Column("acquired_by", "acquired by", Kind.TEXT),
    Column("acquired_trade", "acquiring trade", Kind.TEXT),
)


def profit_table(by: str, results: Mapping[str, Result], title: str, quote: str) -> Table:
    """The best first; weekdays, hours and months in their own order."""
    whole, everything = together(results.values()), moved(results.values())
    keys = sorted(results, key=(lambda key: _when(by, key)) if by in _TIMES else lambda key: -results[key].profit)
    return Table(
        title=title,
        quote=quote,
        columns=(Column(by, by, Kind.TEXT), *_PROFIT),
        rows=[_profit_row(_named(by, key), results[key], everything) for key in keys],
        total=_profit_row("all", whole, None),
        empty="No position was closed in this time. Each that is will be counted here, with what it made.",
        notes=(
            "Profit is of closed positions, fees inside; market time, UTC. A share is of all that was won and lost.",
        ),
    )


def costs_table(by: str, found: Mapping[str, Costs], model: CostModel, title: str, quote: str) -> Table:
    """The most traded first."""
    return Table(
        title=title,
        quote=quote,
        columns=(Column(by, by, Kind.TEXT), *_COSTS),
        rows=[_cost_row(key, found[key], model) for key in sorted(found, key=lambda key: -found[key].notional)],
        total=_cost_row("all", costs_together(found.values()), model),
        empty="Nothing was bought or sold in this time. Every fill will be counted here, with its fee and slippage.",
        notes=(
            "Slippage is above 0 where it cost: of a buy (price - reference) x amount, of a sell the other way round. "
            "The reference is the price that the order was decided at.",
            f"Assumed: the middle of {_range(model.fee_rate_min, model.fee_rate_max, 10_000)} bp of fees and "
            f"{_range(model.slippage_bp_min, model.slippage_bp_max, 1)} bp of slippage.",
        ),
    )


def statistics_table(
    account: str, whole: Statistics | None, bots: Mapping[str, Statistics | None], title: str
) -> Table:
    """The account, and below it every bot. None: there are no two days of it."""
    rows = [_statistics_row(account, whole), *(_statistics_row(name, bots[name]) for name in sorted(bots))]
    return Table(
        title=title,
        quote="",
        columns=_STATISTICS,
        rows=rows if whole is not None or any(bots.values()) else [],
        empty="There is no equity of this time yet. Return, risk and drawdown will stand here from the first day on.",
        notes=(
            f"From the last equity of each UTC day; a year has 365 days, the risk-free rate is 0. Figures by the year "
            f"need {LEAST_DAYS} days. Capital in or out is no return; today counts as it stands.",
        ),
    )


def disposals_table(disposals: Sequence[Disposal], title: str, quote: str) -> Table:
    """Every disposal, in the order they happened."""
    rows = [
        [
            *(one.symbol, one.acquired_at, one.disposed_at, one.amount, one.proceeds, one.cost, one.fees, one.gain),
            *(one.holding_days, one.acquired_by, one.disposed_by, one.acquired_trade, one.disposed_trade),
        ]
        for one in disposals
    ]
    return Table(title, quote, _DISPOSALS, rows, "Nothing was sold in this year. Every sale will stand here.")


def sums_table(disposals: Iterable[Disposal], title: str, quote: str) -> Table:
    """The disposals of each symbol, added up."""
    found: dict[str, list[Disposal]] = {}
    for one in disposals:
        found.setdefault(one.symbol, []).append(one)
    everything = [one for parts in found.values() for one in parts]
    return Table(
        title=title,
        quote=quote,
        columns=_SUMS,
        rows=[
            _sum_row(symbol, found[symbol], exact_sum(one.amount for one in found[symbol])) for symbol in sorted(found)
        ],
        total=_sum_row("all", everything, None),
        empty="Nothing was sold in this year. What each symbol brought will stand here.",
    )


def carried_table(lots: Sequence[Lot], title: str, quote: str) -> Table:
    """The lots that are left, with their part of the fee."""
    rows = [[one.symbol, one.at, one.amount, one.value, one.fee, one.bot, one.trade_id] for one in lots]
    total = ["all", None, None, exact_sum(one.value for one in lots), exact_sum(one.fee for one in lots), None, None]
    return Table(title, quote, _LOTS, rows, "Nothing is carried over: all that was bought is sold.", total)


_TIMES = frozenset({"weekday", "hour", "month"})


def _when(by: str, key: str) -> Any:
    """The week begins on Monday."""
    return (int(key) - 1) % 7 if by == "weekday" else key


def _named(by: str, key: str) -> str:
    if by == "weekday":
        return WEEKDAYS[int(key)]
    if by == "hour":
        return f"{key}:00"
    return key.lower() or "other" if by == "exit" else key


def _profit_row(name: str, one: Result, everything: Decimal | None) -> list[Any]:
    share = ratio(one.profit, everything) if everything else None
    factor = one.profit_factor if one.losses else Instead("no loss") if one.wins else None
    return [
        *(name, one.closed, one.wins, one.losses, one.win_rate, one.profit, share, one.expectancy),
        *(one.average_win, one.average_loss, factor, one.best, one.worst, one.average_held_s, one.fees),
    ]


def _cost_row(name: str, one: Costs, model: CostModel) -> list[Any]:
    expected = assumed(one, model)
    with exact():
        more = one.fees + one.slippage - expected.fees - expected.slippage
    return [
        *(name, one.fills, one.notional, one.fees, one.fee_bp, expected.fees),
        *(one.slippage, one.slippage_bp, expected.slippage, more),
    ]


def _statistics_row(name: str, one: Statistics | None) -> list[Any]:
    if one is None:
        return [name, 0, 0, *([TOO_FEW] * 7), *([None] * 4)]
    year, fall = one.annual, one.drawdown
    by_year = [TOO_FEW] * 5 if year is None else [year.cagr, year.volatility, year.sharpe, year.sortino, year.calmar]
    fell = [fall.begin, fall.trough, fall.recovery or NOT_YET, fall.days] if fall.depth else [None] * 4
    return [name, one.days, one.missing, one.total_return, *by_year, fall.depth, *fell]


def _sum_row(name: str, parts: Sequence[Disposal], amount: Decimal | None) -> list[Any]:
    sums = (exact_sum(getattr(one, key) for one in parts) for key in ("proceeds", "cost", "fees", "gain"))
    return [name, len(parts), amount, *sums]


def _range(low: Decimal, high: Decimal, unit: int) -> str:
    with exact():
        return f"{canonical(low * unit)} to {canonical(high * unit)}"
