"""Valuing open positions, and the equity that follows."""

from datetime import datetime
from decimal import Decimal

from bots.models import Bot
from execution.models import BotBook, EquitySnapshot, Portfolio, Position
from execution.states import PositionStatus
from execution.totals import book_change, bot_equity, equity, figures, holding, value
from market.clock import Now


def mark(portfolio: Portfolio, position_id: int, price: Decimal, priced_at: datetime) -> Position:
    """Value a position at a price, under the portfolio lock. A price older than its mark changes nothing."""
    position = Position.objects.select_related("bot__book").get(pk=position_id)
    if position.status != PositionStatus.OPEN or (position.marked_at and position.marked_at >= priced_at):
        return position
    before = figures(position)
    position.mark_price, position.marked_at = price, priced_at
    value(position, holding(position), position.reserved)
    position.save(update_fields=["mark_price", "marked_at", "unrealised", "exposure"])
    book_change(portfolio, position.bot.book, position, before)
    return position


def open_day(bot_id: int, now: Now) -> BotBook:
    """The first look at a bot on a UTC day keeps what its equity was: the daily loss is measured from there.

    Under the portfolio lock, so that capital and profit do not change meanwhile. Returns the book as stored.
    """
    book = BotBook.objects.select_related("bot").get(bot_id=bot_id)
    today = now.market_at.date()
    if book.day != today:
        book.day, book.day_start_equity = today, bot_equity(book.bot, book)
        book.save(update_fields=["day", "day_start_equity"])
    return book


def rebase_bot_peak(bot: Bot) -> None:
    """Measure drawdown from today's equity on: what an operator who clears a drawdown halt decides. Under the lock."""
    book = BotBook.objects.select_related("bot").get(bot=bot)
    book.peak_equity = bot_equity(book.bot, book)
    book.save(update_fields=["peak_equity"])


def rebase_account_peak(portfolio: Portfolio) -> None:
    """The same for the whole account."""
    portfolio.peak_equity = equity(portfolio)
    portfolio.save(update_fields=["peak_equity"])


def snapshot_bot(bot: Bot, book: BotBook, now: Now, *, stale: bool) -> None:
    """Keep a bot's equity at this moment."""
    EquitySnapshot.objects.create(
        account_id=bot.account_id,
        bot=bot,
        market_at=now.market_at,
        equity=bot_equity(bot, book),
        realised=book.realised,
        unrealised=book.unrealised,
        stale=stale,
    )


def snapshot_portfolio(portfolio: Portfolio, now: Now) -> None:
    """Keep the account's equity at this moment, at the positions' last marks."""
    EquitySnapshot.objects.create(
        account_id=portfolio.account_id,
        bot=None,
        market_at=now.market_at,
        equity=equity(portfolio),
        realised=portfolio.realised,
        unrealised=portfolio.unrealised,
    )
