"""The kill switch: a person halts everything, an account or a bot, at once, and later lets it go on.

A halt takes the portfolio lock of every account it stops, in the transaction that writes it. An order's last look
before it may leave takes the same lock, so a halt falls before that look or after the mark that the order was sent,
never in between.
"""

from collections.abc import Iterable

import structlog
from django.db import OperationalError, transaction
from django.db.models import QuerySet

from bots.models import Bot, ExchangeAccount
from execution.lock import lock_portfolio
from execution.marking import rebase_account_peak
from execution.models import Portfolio
from risk.breakers import PORTFOLIO_DRAWDOWN
from risk.halts import OPERATOR, clear_halt, raise_halt
from risk.models import Halt
from tradingplatform.acting import By

log = structlog.get_logger()

TRIES = 2
"""How often the locks of all accounts are tried for before the halt is written without them."""

EVERYTHING = "everything"


def halt_everything(by: By, closes: bool = False) -> Halt:
    """No bot on any account enters any more; ``closes``: and what is held is sold, one position after another.

    Where an account's lock cannot be had, the halt is written without waiting longer: an order of that account that was
    being let go in this very moment may still leave. Raises django.db.OperationalError when nothing can be written.
    """
    accounts = sorted(Portfolio.objects.values_list("account_id", flat=True))
    for _ in range(TRIES):
        try:
            return _halt(None, None, accounts, by, closes)
        except OperationalError as error:
            log.error("kill_switch_waits_for_no_lock", error=str(error))
    return _halt(None, None, (), by, closes)


def halt_account(account: ExchangeAccount, by: By, closes: bool = False) -> Halt:
    """No bot of the account enters any more. Raises lock.NoPortfolio, django.db.OperationalError."""
    return _halt(account, None, (account.pk,), by, closes)


def halt_bot(bot: Bot, by: By, closes: bool = False) -> Halt:
    """The bot enters nothing any more; its status stays. Raises lock.NoPortfolio, django.db.OperationalError."""
    return _halt(bot.account, bot, (bot.account_id,), by, closes)


def resume_everything(by: By) -> int:
    """End the halt of everything, whoever began it; how many it were. What halts an account or a bot by itself stays.

    Raises ValueError without a reason.
    """
    accounts = sorted(Portfolio.objects.values_list("account_id", flat=True))
    return _resume(Halt.objects.filter(account=None), EVERYTHING, accounts, by)


def resume_account(account: ExchangeAccount, by: By) -> int:
    """End an operator's halt of an account; how many it were. What a check has halted stays: ``clear_account_halts``.

    Raises ValueError without a reason.
    """
    mine = Halt.objects.filter(account=account, bot=None, cause=OPERATOR)
    return _resume(mine, f"account {account.name}", (account.pk,), by)


def resume_bot_trading(bot: Bot, by: By) -> int:
    """End an operator's halt of a bot; how many it were. What a check has halted stays: ``operator.reset_bot``.

    Raises ValueError without a reason.
    """
    return _resume(Halt.objects.filter(bot=bot, cause=OPERATOR), f"bot {bot.name}", (bot.account_id,), by)


@transaction.atomic
def clear_account_halts(account: ExchangeAccount, by: By) -> int:
    """Clear everything that halts an account itself, whatever the cause; how many halts it were.

    After a portfolio drawdown the decline counts from today's equity. Raises ValueError without a reason.
    """
    _require_reason(by)
    portfolio = lock_portfolio(account.pk)
    halts = list(Halt.objects.filter(account=account, bot=None, cleared_at=None, until=None))
    cleared = [halt for halt in halts if clear_halt(halt.pk, by.actor, by.reason, by.now)]
    if any(halt.cause == PORTFOLIO_DRAWDOWN for halt in cleared):
        rebase_account_peak(portfolio)
    if cleared:
        by.audit("clear_halts", f"account {account.name}", before={"halts": [halt.text for halt in cleared]})
    return len(cleared)


@transaction.atomic
def _halt(account: ExchangeAccount | None, bot: Bot | None, locked: Iterable[int], by: By, closes: bool) -> Halt:
    """The halt as it is in force now: a second pull changes nothing but that what is held may be sold as well."""
    for account_id in locked:
        lock_portfolio(account_id)
    scope = _scope(account, bot)
    text = f"{scope} halted by {by.actor}, entries stop" + (" and what is held is sold" if closes else "")
    text += f": {by.reason}" if by.reason else ""
    raise_halt(account, bot, OPERATOR, text, {"actor": by.actor, "reason": by.reason}, by.now, closes=closes)
    halt = Halt.objects.select_related("account", "bot").get(account=account, bot=bot, cause=OPERATOR, cleared_at=None)
    by.audit("halt", scope, bot_id=bot.pk if bot else None, after={"closes": halt.closes, "halt": halt.pk})
    return halt


@transaction.atomic
def _resume(halts: "QuerySet[Halt]", scope: str, locked: Iterable[int], by: By) -> int:
    _require_reason(by)
    for account_id in locked:
        lock_portfolio(account_id)
    cleared = [halt for halt in halts.filter(cleared_at=None) if clear_halt(halt.pk, by.actor, by.reason, by.now)]
    if cleared:
        by.audit("resume", scope, bot_id=cleared[0].bot_id, before={"halts": [halt.text for halt in cleared]})
    return len(cleared)


def _require_reason(by: By) -> None:
    if not by.reason.strip():
        raise ValueError("a halt is cleared for a reason: give one")


def _scope(account: ExchangeAccount | None, bot: Bot | None) -> str:
    if bot is not None:
        return f"bot {bot.name}"
    return f"account {account.name}" if account is not None else EVERYTHING
