"""Verifying the stored books of one account against what they follow from: fills, capital changes, marks.

Memory does not grow with the number of fills: positions come in chunks, and of the differences the first are kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from django.db.models import Count, Model

from bots.models import ExchangeAccount
from execution.booked_rows import positions_of
from execution.models import AssetBalance, AssetExposure, BotBook, CapitalChange, Order, Portfolio, Trade
from execution.verification.compare import Difference
from execution.verification.rows import check_rows, recomputed
from execution.verification.totals import Sums, check_totals
from execution.verification.values import BookFigures, PortfolioFigures

KEPT = 1000
"""Differences kept of one account; all are counted."""


@dataclass
class Verified:
    """What was looked at, and what was found."""

    account: str
    positions: int = 0
    orders: int = 0
    fills: int = 0
    found: int = 0
    differences: list[Difference] = field(default_factory=list)

    def note(self, difference: Difference) -> None:
        self.found += 1
        if len(self.differences) < KEPT:
            self.differences.append(difference)


def verify(account: ExchangeAccount) -> Verified:
    """Recompute everything of one account. Call it where all reads see one moment: it reads many times."""
    verified = Verified(account.name)
    sums = Sums(account.pk, account.quote)
    sums.add_capital(CapitalChange.objects.filter(account=account).values_list("amount", flat=True))
    for whole in positions_of(account.pk):
        sums.add(whole.position, recomputed(whole), whole.fills)
        if whole.position.account_id == account.pk:
            verified.positions += 1
            verified.orders += len(whole.orders)
            verified.fills += len(whole.fills)
            for difference in check_rows(whole):
                verified.note(difference)
    for difference in (*_check_totals(account, sums), *_strays(account.pk), *_twice(account.pk)):
        verified.note(difference)
    return verified


def _check_totals(account: ExchangeAccount, sums: Sums) -> Iterator[Difference]:
    row = Portfolio.objects.filter(account=account).first()
    if row is None:
        yield Difference("portfolio", account.name, "missing", "a row")
        return
    exposures = dict(AssetExposure.objects.filter(portfolio=row).values_list("asset", "exposure"))
    balances = dict(AssetBalance.objects.filter(account=account).values_list("asset", "amount"))
    yield from check_totals(sums, _portfolio(row), _books(account.pk), exposures, balances)


def _portfolio(row: Portfolio) -> PortfolioFigures:
    return PortfolioFigures(row.capital, row.realised, row.fees, row.cost, row.unrealised, row.reserved, row.exposure)


def _books(account_id: int) -> dict[int, tuple[str, BookFigures]]:
    rows = BotBook.objects.filter(bot__account_id=account_id).select_related("bot")
    return {
        row.bot_id: (
            row.bot.name,
            BookFigures(row.realised, row.fees, row.unrealised, row.wins, row.losses, row.loss_streak),
        )
        for row in rows
    }


def _strays(account_id: int) -> Iterator[Difference]:
    """Orders and fills of this account that hang on a position of another, or on none."""
    kinds: tuple[tuple[str, type[Model]], ...] = (("order", Order), ("trade", Trade))
    for kind, model in kinds:
        strays = model._default_manager.filter(account_id=account_id).exclude(position__account_id=account_id)
        for pk, position_id in strays.order_by("pk").values_list("pk", "position_id")[:KEPT].iterator():
            yield Difference(f"{kind}.position", f"#{pk}", f"position #{position_id}", "a position of its account")


def _twice(account_id: int) -> Iterator[Difference]:
    """Fills that are booked more than once. The database refuses them; this looks whether it always did."""
    ids = Trade.objects.filter(account_id=account_id).order_by().values_list("symbol", "trade_id")
    for symbol, trade_id, times in ids.annotate(times=Count("pk")).filter(times__gt=1)[:KEPT]:
        yield Difference("trade.trade_id", f"{symbol} {trade_id}", f"{times} rows", "one")
