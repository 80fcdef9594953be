"""The running totals that live under the portfolio lock.

Whatever changes exposure or money holds the lock (see lock.py); so a total is always the sum of its positions, and the
order gate reads two rows however many positions there are.
"""

from dataclasses import dataclass
from decimal import Decimal

from bots.models import Bot
from execution.ledger import Holding
from execution.models import AssetExposure, BotBook, Portfolio, Position
from market.money import ZERO, exact


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
