"""Capital in and out. It moves equity and its peaks alike, so that it is neither profit nor loss nor a drawdown.

Every function here is called inside a transaction, and takes the portfolio lock first.
"""

from decimal import Decimal, localcontext

from bots.models import Bot, ExchangeAccount
from execution.balances import book_flows
from execution.lock import lock_portfolio
from execution.models import BotBook, CapitalChange, CapitalKind, Portfolio
from execution.totals import equity, free_cash
from market.clock import Now
from market.money import ROUNDED, canonical, exact


class NotEnoughCash(Exception):
    """More was to be taken out than is free."""


def capital_of(account_id: int) -> Decimal | None:
    """The account's own capital, the sum of its capital changes; None before the first."""
    return Portfolio.objects.filter(account_id=account_id).values_list("capital", flat=True).first()


def book_capital(account: ExchangeAccount, amount: Decimal, reason: str, now: Now) -> CapitalChange:
    """Book a deposit (above 0; the first is the initial capital) or a withdrawal (below 0). Raises NotEnoughCash."""
    portfolio = lock_portfolio(account.pk)
    if amount < 0 and free_cash(portfolio) + amount < 0:
        free = f"{canonical(free_cash(portfolio))} {account.quote}"
        raise NotEnoughCash(f"cannot take {canonical(-amount)} out of account {account}: only {free} is free")
    return _book(portfolio, account, amount, reason, now)


def book_found_capital(account: ExchangeAccount, amount: Decimal, reason: str, now: Now) -> CapitalChange:
    """Book what went in (above 0) or out at the exchange already: whether it was free is not asked any more."""
    return _book(lock_portfolio(account.pk), account, amount, reason, now)


def _book(portfolio: Portfolio, account: ExchangeAccount, amount: Decimal, reason: str, now: Now) -> CapitalChange:
    change = CapitalChange.objects.create(
        account=account,
        kind=_kind(account, amount),
        amount=amount,
        reason=reason[:300],
        market_at=now.market_at,
        wall_at=now.wall_at,
    )
    before = equity(portfolio)
    with exact():
        portfolio.capital += amount
    portfolio.peak_equity = max(scaled(portfolio.peak_equity, before, equity(portfolio)), equity(portfolio))
    portfolio.save(update_fields=["capital", "peak_equity"])
    book_flows(account.pk, {account.quote: amount})
    return change


def reallocate(bot: Bot, old: Decimal, new: Decimal) -> None:
    """Carry a bot's new allocation into its book. The portfolio lock is held."""
    book = BotBook.objects.get(bot=bot)
    with exact():
        before = old + book.realised + book.unrealised
        after = new + book.realised + book.unrealised
        book.day_start_equity += new - old  # the daily loss is an amount, and stays that amount
    book.peak_equity = max(scaled(book.peak_equity, before, after), after)
    book.save(update_fields=["peak_equity", "day_start_equity"])


def scaled(peak: Decimal, before: Decimal, after: Decimal) -> Decimal:
    """The peak that makes a drawdown the same fraction before and after capital went in or out, to 12 decimals."""
    if before <= 0 or after <= 0:
        return max(peak, after)
    with localcontext(ROUNDED):
        return (peak * after / before).quantize(Decimal("1e-12"))


def _kind(account: ExchangeAccount, amount: Decimal) -> CapitalKind:
    if amount < 0:
        return CapitalKind.WITHDRAWAL
    first = not CapitalChange.objects.filter(account=account).exists()
    return CapitalKind.INITIAL if first else CapitalKind.DEPOSIT
