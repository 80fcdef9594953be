"""Capital in and out. It moves equity and its peaks alike, so that it is neither profit nor loss nor a drawdown.

Every function here is called inside a transaction, and takes the portfolio lock first.
"""

from decimal import Decimal

from bots.models import Bot, ExchangeAccount
from execution.lock import lock_portfolio
from execution.models import BotBook, CapitalChange, CapitalKind
from execution.totals import equity, free_cash
from market.clock import Now
from market.money import canonical, exact


class NotEnoughCash(Exception):
    """More was to be taken out than is free."""


def book_capital(account: ExchangeAccount, amount: Decimal, reason: str, now: Now) -> CapitalChange:
    """Book a deposit (above 0; the first is the initial capital) or a withdrawal (below 0). Raises NotEnoughCash."""
    portfolio = lock_portfolio(account.pk)
    if amount < 0 and free_cash(portfolio) + amount < 0:
        free = f"{canonical(free_cash(portfolio))} {account.quote}"
        raise NotEnoughCash(f"cannot take {canonical(-amount)} out of account {account}: only {free} is free")
    change = CapitalChange.objects.create(
        account=account,
        kind=_kind(account, amount),
        amount=amount,
        reason=reason[:300],
        market_at=now.market_at,
        wall_at=now.wall_at,
    )
    with exact():
        portfolio.capital += amount
        portfolio.peak_equity = max(portfolio.peak_equity + amount, equity(portfolio))
    portfolio.save(update_fields=["capital", "peak_equity"])
    return change


def reallocate(bot: Bot, old: Decimal, new: Decimal) -> None:
    """Carry a bot's new allocation into its book. The portfolio lock is held."""
    book = BotBook.objects.get(bot=bot)
    with exact():
        book.peak_equity += new - old
        book.day_start_equity += new - old
    book.save(update_fields=["peak_equity", "day_start_equity"])


def _kind(account: ExchangeAccount, amount: Decimal) -> CapitalKind:
    if amount < 0:
        return CapitalKind.WITHDRAWAL
    first = not CapitalChange.objects.filter(account=account).exists()
    return CapitalKind.INITIAL if first else CapitalKind.DEPOSIT
