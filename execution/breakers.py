"""Breakers at work: wherever equity changed, they are measured, and what fired becomes a halt in the same transaction.

Called with the portfolio lock held: when positions are marked, when a fill is booked, and when the gate has refused.
"""

from collections.abc import Iterable, Sequence

import structlog

from bots import lifecycle
from bots.models import Bot
from execution.event_kinds import BreakerFired
from execution.models import BotBook, Portfolio
from execution.totals import bot_equity, equity
from market.clock import Now
from notifications.events import publish
from notifications.models import Severity
from risk.breakers import DAILY_LOSS, DRAWDOWN, BotStanding, Fired, bot_breakers, next_day, portfolio_breaker
from risk.halts import raise_halt
from risk.limit_changes import book_due_of_account, limits_of_bots, portfolio_limits
from risk.models import Halt

log = structlog.get_logger()

TRIES = 2
"""How often a bot is halted whose status somebody else moves at the same moment."""


def fire(portfolio: Portfolio, books: Iterable[BotBook], now: Now) -> list[Halt]:
    """Measure the breakers of these bots and of their account, by the totals as they are now; the new halts.

    Costs a few queries whatever the number of books, and some for each breaker that is open. Where limits are missing
    or cannot be used nothing can be measured, and the gate denies: what is booked here must not fail over them.
    """
    books = sorted(books, key=lambda book: book.bot_id)  # whoever locks several bots locks them in this order
    book_due_of_account(portfolio.account_id, now)
    halts = [_halt_account(portfolio, fired, now) for fired in _of_account(portfolio)]
    for book, fired in _of_bots(books, now):
        halts.append(_halt_bot(book.bot, fired, now))
    return [halt for halt in halts if halt is not None]


def standing(book: BotBook, now: Now) -> BotStanding:
    """A bot's money as the breakers measure it. Figures of another day say nothing of today."""
    is_today = book.day == now.market_at.date()
    return BotStanding(
        capital=book.bot.capital,
        equity=bot_equity(book.bot, book),
        peak=book.peak_equity,
        day_start=book.day_start_equity if is_today else None,
    )


def _of_account(portfolio: Portfolio) -> list[Fired]:
    limits = portfolio_limits(portfolio.account_id)
    fired = portfolio_breaker(equity(portfolio), portfolio.peak_equity, limits) if limits else None
    return [fired] if fired else []


def _of_bots(books: Sequence[BotBook], now: Now) -> list[tuple[BotBook, Fired]]:
    limits = limits_of_bots([book.bot_id for book in books])
    measurable = [book for book in books if book.bot_id in limits]
    return [(book, fired) for book in measurable for fired in bot_breakers(standing(book, now), limits[book.bot_id])]


def _halt_account(portfolio: Portfolio, fired: Fired, now: Now) -> Halt | None:
    account = portfolio.account
    text = f"account {account.name} halted by {fired.name}, entries stop: {fired.sentence()}"
    halt = raise_halt(account, None, fired.name, text, fired.figures(), now)
    if halt is not None:
        _tell(fired, text, None, now)
    return halt


def _halt_bot(bot: Bot, fired: Fired, now: Now) -> Halt | None:
    """A drawdown takes the bot's right to enter until an operator resets it; a daily loss is over with its day."""
    until = next_day(now.market_at) if fired.name == DAILY_LOSS else None
    text = f"bot {bot.name} halted by {fired.name}, entries stop"
    text += f" until {until:%Y-%m-%d %H:%M} UTC" if until else ""
    text += f": {fired.sentence()}"
    halt = raise_halt(bot.account, bot, fired.name, text, fired.figures(), now, until=until)
    if halt is not None:
        _tell(fired, text, bot.pk, now)
        if fired.name == DRAWDOWN:
            _take_right_to_enter(bot, text, now)
    return halt


def _tell(fired: Fired, text: str, bot_id: int | None, now: Now) -> None:
    """Once for each halt: a breaker fires again at every look while its limit is exceeded."""
    payload = BreakerFired(
        breaker=fired.name,
        scope="account" if bot_id is None else "bot",
        limit=fired.limit,
        value=fired.value,
        lost=fired.lost,
        allowed=fired.allowed,
        overshoot=fired.overshoot,
    )
    at = {"market_at": now.market_at, "wall_at": now.wall_at}
    publish(payload, f"breaker fired: {text}", severity=Severity.WARNING, bot_id=bot_id, **at)


def _take_right_to_enter(bot: Bot, text: str, now: Now) -> None:
    """Its status follows its halt. That stops it by itself: what is booked here must not fail over a status."""
    for _ in range(TRIES):
        status = Bot.objects.values_list("status", flat=True).get(pk=bot.pk)
        if status not in lifecycle.HALT.sources:
            return
        try:
            lifecycle.halt(bot.pk, text, now=now, actor="risk")
        except lifecycle.IllegalTransition as error:
            log.warning("status_not_halted", bot=bot.name, error=str(error))
        else:
            return
