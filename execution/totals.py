"""The running totals that live under the portfolio lock.

Whatever changes exposure or money holds the lock (see lock.py); so a total is always the sum of its positions, and the
order gate reads two rows however many positions there are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from bots.models import Bot
from execution.ledger import Holding
from execution.models import AssetExposure, BotBook, Portfolio, Position
from market.money import ZERO, exact

BATCH = 100
"""Rows that one statement writes."""


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
        book.peak_equity = max(book.peak_equity, bot_equity(position.bot, book))
    portfolio.save()
    book.save()
    if change.exposure:
        _book_asset(portfolio, position.symbol.partition("/")[0], change.exposure)


def book_marks(portfolio: Portfolio, changed: Iterable[tuple[Position, Figures]]) -> None:
    """Carry new values of many positions into the totals, each with its figures before: a few queries in all.

    The positions of one bot share its book. Saves asset exposures and books, and leaves the portfolio to be saved:
    its peak is for the caller, who knows whether everything was valued.
    """
    books: dict[int, BotBook] = {}
    assets: dict[str, Decimal] = {}
    with exact():
        for position, before in changed:
            change = figures(position).minus(before)
            portfolio.unrealised += change.unrealised
            portfolio.exposure += change.exposure
            asset = position.symbol.partition("/")[0]
            assets[asset] = assets.get(asset, ZERO) + change.exposure
            book = books.setdefault(position.bot_id, position.bot.book)
            book.unrealised += change.unrealised
            book.peak_equity = max(book.peak_equity, bot_equity(position.bot, book))
    BotBook.objects.bulk_update(books.values(), ["unrealised", "peak_equity"], batch_size=BATCH)
    for asset, change_of_asset in assets.items():
        if change_of_asset:
            _book_asset(portfolio, asset, change_of_asset)


def equity(portfolio: Portfolio) -> Decimal:
    """The account's equity at the last marks."""
    with exact():
        return portfolio.capital + portfolio.realised + portfolio.unrealised


def bot_equity(bot: Bot, book: BotBook) -> Decimal:
    """A bot's own equity in quote, at the last mark: its capital and what it made of it."""
    with exact():
        return bot.capital + book.realised + book.unrealised


def free_cash(portfolio: Portfolio) -> Decimal:
    """Quote currency that is neither in positions nor reserved for entries on their way."""
    with exact():
        return portfolio.capital + portfolio.realised - portfolio.cost - portfolio.reserved


def _book_asset(portfolio: Portfolio, asset: str, change: Decimal) -> None:
    row, _ = AssetExposure.objects.get_or_create(portfolio=portfolio, asset=asset)
    with exact():
        row.exposure += change
    row.save(update_fields=["exposure"])
