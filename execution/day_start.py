"""What equity was when the UTC day (market time) began: the daily loss is measured from there.

It is kept before anything of the new day is booked or marked, so it is the equity at the last mark of the day before:
by the guard for every bot in its first round of a day, and by whatever comes first for one bot, a tick or a fill.
"""

from bots.models import Bot
from execution.models import BotBook, Portfolio
from execution.totals import bot_equity
from market.clock import Now


def open_day(bot_id: int, now: Now) -> BotBook:
    """Keep it for one bot, unless that is done. Under the portfolio lock, so that capital and profit do not change
    meanwhile. Returns the book as stored."""
    book = BotBook.objects.select_related("bot").get(bot_id=bot_id)
    keep(book, book.bot, now)
    return book


def open_days(portfolio: Portfolio, now: Now) -> int:
    """The same for all bots of the account; how many it was not done for."""
    due = BotBook.objects.filter(bot__account_id=portfolio.account_id).exclude(day=now.market_at.date())
    books = list(due.select_related("bot"))
    for book in books:
        keep(book, book.bot, now)
    return len(books)


def accounts_with_a_new_day(now: Now) -> set[int]:
    """The accounts of which a bot's day has not begun yet."""
    due = BotBook.objects.exclude(day=now.market_at.date()).exclude(bot__account__portfolio=None)
    return set(due.order_by().values_list("bot__account_id", flat=True).distinct())


def keep(book: BotBook, bot: Bot, now: Now) -> None:
    """Write it into the book, in memory and stored, when the day has changed."""
    if book.day == now.market_at.date():
        return
    book.day, book.day_start_equity = now.market_at.date(), bot_equity(bot, book)
    book.save(update_fields=["day", "day_start_equity"])
