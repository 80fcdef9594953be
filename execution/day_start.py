"""What equity was when the UTC day (market time) began: the daily loss is measured from there.

It is kept before anything of the new day is booked or marked, so it is the equity at the last mark of the day before:
by the guard for every bot in its first round of a day, and by whatever comes first for one bot, a tick or a fill.
"""

from datetime import date, timedelta

from django.db.models import Q

from bots.models import Bot
from execution.models import BotBook, Portfolio
from execution.totals import BATCH, bot_equity
from market.clock import Now

DAY = ("day", "day_start_equity")
"""What a new day changes in a book."""


def open_day(bot_id: int, now: Now) -> BotBook:
    """Keep it for one bot, unless that is done. Under the portfolio lock, so that capital and profit do not change
    meanwhile. Returns the book as stored."""
    book = BotBook.objects.select_related("bot").get(bot_id=bot_id)
    keep(book, book.bot, now)
    return book


def open_days(portfolio: Portfolio, now: Now) -> int:
    """The same for all bots of the account; how many it was not done for."""
    due = BotBook.objects.filter(_due(now), bot__account_id=portfolio.account_id)
    books = list(due.select_related("bot"))
    for book in books:
        _begin(book, book.bot, now)
    BotBook.objects.bulk_update(books, DAY, batch_size=BATCH)
    return len(books)


def accounts_with_a_new_day(now: Now) -> set[int]:
    """The accounts of which a bot's day has not begun yet."""
    due = BotBook.objects.filter(_due(now)).exclude(bot__account__portfolio=None)
    return set(due.order_by().values_list("bot__account_id", flat=True).distinct())


def keep(book: BotBook, bot: Bot, now: Now) -> None:
    """Write it into the book, in memory and stored, when the day has changed."""
    if book.day in _begun(now):
        return
    _begin(book, bot, now)
    book.save(update_fields=list(DAY))


def _begin(book: BotBook, bot: Bot, now: Now) -> None:
    book.day, book.day_start_equity = now.market_at.date(), bot_equity(bot, book)


def _begun(now: Now) -> tuple[date, date]:
    """The days of a book that needs no new one: today, and tomorrow, for whoever read the clock before midnight and
    comes to the lock after somebody of the new day. A later day was begun by a clock that was wrong."""
    today = now.market_at.date()
    return today, today + timedelta(days=1)


def _due(now: Now) -> Q:
    return Q(day=None) | ~Q(day__in=_begun(now))
