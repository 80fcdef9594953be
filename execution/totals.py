"""The portfolio lock, and the running totals that live under it.

Whatever changes exposure or money takes the lock first; so a total is always the sum of its positions, and the order
gate reads two rows however many positions there are.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from django.db import OperationalError, transaction
from django.db.models import F

from execution.ledger import Holding
from execution.models import AssetExposure, BotBook, Portfolio, Position
from market.money import ZERO, exact

LOCK_TRIES = 3
"""How often a transaction that could not get its lock is begun anew. Nothing was sent yet, so this is safe."""

T = TypeVar("T")


class NoPortfolio(Exception):
    """The account's portfolio row is missing: nothing may be traded on it."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What one position contributes to the totals, in quote."""

    realised: Decimal = ZERO
    fees: Decimal = ZERO
    cost: Decimal = ZERO
    unrealised: Decimal = ZERO
    reserved: Decimal = ZERO
    exposure: Decimal = ZERO

    def minus(self, other: "Figures") -> "Figures":
        """What changed from ``other`` to this."""
        with exact():
            return Figures(
                self.realised - other.realised,
                self.fees - other.fees,
                self.cost - other.cost,
                self.unrealised - other.unrealised,
                self.reserved - other.reserved,
                self.exposure - other.exposure,
            )


def under_portfolio_lock(account_id: int, work: Callable[[Portfolio], T]) -> T:
    """Run ``work`` in one durable transaction whose first statement locks the account's portfolio.

    A write, because SQLite ignores SELECT FOR UPDATE. ``work`` must not touch the network, and is run again when the
    database was locked. Raises NoPortfolio, and django.db.OperationalError when the lock cannot be had at all.
    """
    for last in (False,) * (LOCK_TRIES - 1) + (True,):
        try:
            with transaction.atomic(durable=True):
                return work(_lock(account_id))
        except OperationalError:
            if last:
                raise
    raise AssertionError("the last try returns or raises")


def _lock(account_id: int) -> Portfolio:
    if Portfolio.objects.filter(account_id=account_id).update(lock_version=F("lock_version") + 1) != 1:
        raise NoPortfolio(f"account {account_id} has no portfolio row")
    return Portfolio.objects.get(account_id=account_id)


def figures(position: Position) -> Figures:
    """The contribution stored on the position's row."""
    return Figures(
        realised=position.realised,
        fees=position.fees,
        cost=position.cost,
        unrealised=position.unrealised,
        reserved=position.reserved,
        exposure=position.exposure,
    )


def holding(position: Position) -> Holding:
    """The position as the ledger sees it."""
    return Holding(position.quantity, position.cost, position.realised, position.fees)


def value(position: Position, held: Holding, reserved: Decimal) -> None:
    """Write a holding onto the position (unsaved), valued at its mark. Without a mark it is valued at cost."""
    with exact():
        worth = held.quantity * position.mark_price if position.mark_price is not None else held.cost
        position.quantity, position.cost = held.quantity, held.cost
        position.realised, position.fees = held.realised, held.fees
        position.unrealised = worth - held.cost
        position.reserved = reserved
        position.exposure = worth + reserved


def book_change(portfolio: Portfolio, book: BotBook, position: Position, before: Figures) -> None:
    """Carry what changed on a position into the totals, under the portfolio lock. Saves portfolio, asset and book."""
    change = figures(position).minus(before)
    if change == Figures():
        return
    with exact():
        portfolio.realised += change.realised
        portfolio.fees += change.fees
        portfolio.cost += change.cost
        portfolio.unrealised += change.unrealised
        portfolio.reserved += change.reserved
        portfolio.exposure += change.exposure
        portfolio.peak_equity = max(portfolio.peak_equity, equity(portfolio))
        book.realised += change.realised
        book.fees += change.fees
        book.unrealised += change.unrealised
        book.peak_equity = max(book.peak_equity, position.bot.capital + book.realised + book.unrealised)
    portfolio.save()
    book.save()
    if change.exposure:
        _book_asset(portfolio, position.symbol.partition("/")[0], change.exposure)


def equity(portfolio: Portfolio) -> Decimal:
    """The account's equity at the last marks."""
    with exact():
        return portfolio.capital + portfolio.realised + portfolio.unrealised


def free_cash(portfolio: Portfolio) -> Decimal:
    """Quote currency that is neither in positions nor reserved for entries on their way."""
    with exact():
        return portfolio.capital + portfolio.realised - portfolio.cost - portfolio.reserved


def _book_asset(portfolio: Portfolio, asset: str, change: Decimal) -> None:
    row, _ = AssetExposure.objects.get_or_create(portfolio=portfolio, asset=asset)
    with exact():
        row.exposure += change
    row.save(update_fields=["exposure"])
