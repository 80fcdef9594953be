"""Valuing open positions, and the equity that follows."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial

from django.db import DatabaseError

from bots.models import Bot
from execution.breakers import fire
from execution.day_start import open_days
from execution.lock import under_portfolio_lock
from execution.models import BotBook, EquitySnapshot, Portfolio, Position
from execution.states import LIVE_POSITION, PositionStatus
from execution.totals import book_change, bot_equity, equity, figures, holding, value
from market.clock import Now, moment
from market.hygiene import LARGEST_JUMP
from market.live_prices import Price
from market.slots import TIMEFRAMES, grace_ms

HELD = (PositionStatus.OPEN, PositionStatus.CLOSING)
"""Positions that are worth something: one that cannot be sold is valued on."""


def mark(portfolio: Portfolio, position_id: int, price: Decimal, priced_at: datetime) -> Position:
    """Value a position at a price, under the portfolio lock. A price older than its mark changes nothing."""
    position = Position.objects.select_related("bot__book", "bot__account").get(pk=position_id)
    if position.status not in HELD or (position.marked_at and position.marked_at >= priced_at):
        return position
    before = figures(position)
    position.mark_price, position.marked_at = price, priced_at
    value(position, holding(position), position.reserved)
    position.save(update_fields=["mark_price", "marked_at", "unrealised", "exposure"])
    book_change(portfolio, position.bot.book, position, before)
    return position


def symbols_held() -> set[str]:
    """The symbols of all live positions."""
    live = Position.objects.filter(status__in=list(LIVE_POSITION))
    return set(live.order_by().values_list("symbol", flat=True).distinct())


def mark_all(prices: Mapping[str, Price], now: Now) -> int:
    """Value everything that is held and has a price here, account by account. Returns how many were believed.

    Each account in one transaction, with the breakers that its new value opens. A price that is more than LARGEST_JUMP
    times the last mark, or its reciprocal, is not believed: the closes of two candles have to agree on it first. An
    account of which everything held was valued is ``marked_at`` this moment. Call it outside a transaction. Raises the
    last database error, after all accounts.
    """
    believed, failed = 0, None
    for account_id in list(Portfolio.objects.order_by("account_id").values_list("account_id", flat=True)):
        try:
            believed += under_portfolio_lock(account_id, partial(_mark_account, prices, now))
        except DatabaseError as error:  # the other accounts are valued all the same
            failed = error
    if failed is not None:
        raise failed
    return believed


def _mark_account(prices: Mapping[str, Price], now: Now, portfolio: Portfolio) -> int:
    open_days(portfolio, now)  # before anything is valued anew: the day begins with the last marks of the day before
    held = Position.objects.filter(account_id=portfolio.account_id, status__in=HELD)
    rows = list(held.order_by("pk").values_list("pk", "symbol", "mark_price"))
    believed = [(pk, prices[symbol]) for pk, symbol, last in rows if _has_price(prices, symbol, last)]
    peak = portfolio.peak_equity
    books = [mark(portfolio, pk, price.price, moment(price.at_ms)).bot.book for pk, price in believed]
    # With half of the positions valued anew equity is no figure to make a peak of.
    portfolio.peak_equity = max(peak, equity(portfolio))
    if len(believed) == len(rows):
        portfolio.marked_at = now.market_at
    portfolio.save(update_fields=["peak_equity", "marked_at"])
    fire(portfolio, books, now)
    return len(believed)


def _has_price(prices: Mapping[str, Price], symbol: str, mark_price: Decimal | None) -> bool:
    return symbol in prices and believable(prices[symbol].price, mark_price)


def believable(price: Decimal, mark_price: Decimal | None) -> bool:
    """Whether a position that was last marked at ``mark_price`` may be valued at this live price."""
    jump = Decimal(str(LARGEST_JUMP))
    return mark_price is None or (mark_price <= jump * price and price <= jump * mark_price)


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


def has_old_marks(account_id: int, now: Now, speed: float) -> bool:
    """Whether an open position is valued at a price older than its own bot's candles would give."""
    rows = Position.objects.filter(account_id=account_id, status=PositionStatus.OPEN)
    for timeframe, marked_at, opened_at in rows.values_list("bot__timeframe", "marked_at", "opened_at"):
        interval_s = TIMEFRAMES[timeframe]
        allowed = timedelta(seconds=interval_s, milliseconds=grace_ms(interval_s, speed))
        since = marked_at or opened_at
        if since is not None and now.market_at - since > allowed:
            return True
    return False


def snapshot_portfolio(portfolio: Portfolio, now: Now, *, stale: bool) -> None:
    """Keep the account's equity at this moment, at the positions' last marks."""
    EquitySnapshot.objects.create(
        account_id=portfolio.account_id,
        bot=None,
        market_at=now.market_at,
        equity=equity(portfolio),
        realised=portfolio.realised,
        unrealised=portfolio.unrealised,
        stale=stale,
    )
