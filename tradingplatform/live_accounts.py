"""What a person does with live accounts: connect one, and move bots onto it and off it. Every act leaves an event.

Keys are asked of the exchange before anything is written, and are in no event, no text and no argument of a command.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from django.db import transaction

from bots.definition import judge, why_not_capital
from bots.live_exchanges import NOT_YET, why_no_live_orders
from bots.models import Bot, BotStatus, ExchangeAccount, Mode
from execution.capital import book_capital, capital_of
from execution.held import in_use
from execution.lock import lock_portfolio
from execution.marking import rebase_bot_peak
from execution.models import AssetBalance
from market.exchange import Balance, KeyRights, OrderDesk, Rejected, Transient
from market.money import ZERO, canonical, exact
from notifications.events import publish
from notifications.kinds import Payload
from notifications.models import Severity
from tradingplatform.acting import By
from tradingplatform.event_kinds import AccountConnected, BotGoneLive, BotGoneToPaper, KeyWarning
from tradingplatform.key_check import key_warnings, refusal_text, why_not_rights


class NotConnected(ValueError):
    """The account was not connected, and nothing was written. The text says why, and what to do."""


class NotMoved(ValueError):
    """No bot was moved. The text has a line for every reason."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """An API key and its secret, on their way from a person to the encrypted columns."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account as a person describes it. ``capital`` is what of the exchange's balance in ``quote`` is ours."""

    name: str
    exchange: str
    quote: str
    capital: Decimal


def why_not_connected(new: NewAccount, credentials: Credentials) -> str:
    """What can be judged without the exchange; empty when nothing is wrong."""
    if refusal := why_no_live_orders(new.exchange):
        return refusal
    if ExchangeAccount.objects.filter(name=new.name).exists():
        return f"there is an account {new.name!r} already: its mode stays, and its key is replaced in the console"
    if problems := why_not_capital(new.capital):
        return problems[0]
    if not (credentials.api_key and credentials.api_secret):
        return "an API key and its secret are both needed"
    for account in ExchangeAccount.objects.exclude(api_key=""):
        if account.exchange == new.exchange and account.api_key.reveal() == credentials.api_key:
            return f"account {account} has this key already: two accounts on one balance would both spend it"
    return ""


def connect_account(
    new: NewAccount, credentials: Credentials, desk: OrderDesk, by: By
) -> tuple[ExchangeAccount, list[str]]:
    """Make a LIVE account after asking the exchange about its key and its money. Returns it, and what to be warned of.

    ``desk`` speaks with these ``credentials``. Raises NotConnected.
    """
    if problem := why_not_connected(new, credentials):
        raise NotConnected(problem)
    rights, balances = _asked(desk)
    if problem := why_not_rights(rights) or _why_not_money(new, balances):
        raise NotConnected(f"account {new.name} is not connected: {problem}")
    with transaction.atomic():
        account = ExchangeAccount(name=new.name, exchange=new.exchange, quote=new.quote, mode=Mode.LIVE)
        account.api_key, account.api_secret = credentials.api_key, credentials.api_secret
        account.full_clean()
        account.save()
        book_capital(account, new.capital, by.reason or "connected", by.now)
        _keep_untracked(account, new, balances)
        warnings = key_warnings(rights)
        _tell_connected(account, new, warnings, by)
        named = {name: getattr(account, name) for name in ("exchange", "quote", "mode")}
        made = {**named, "capital": canonical(new.capital), "key": account.fingerprint}
        by.audit("connect_account", f"account {account}", after=made)
    return account, warnings


@transaction.atomic
def go_live(bots: Sequence[Bot], account: ExchangeAccount, by: By) -> int:
    """Give bots leave to enter with money: move them to a LIVE account, all or none. How many it were.

    A bot that has it already counts too. Raises NotMoved.
    """
    if not account.is_live:
        raise NotMoved(f"account {account} is on {account.mode}: make a LIVE one with connect_account ({NOT_YET})")
    if refusal := why_no_live_orders(account.exchange):
        raise NotMoved(refusal)
    return _move(bots, account, by, live=True)


@transaction.atomic
def go_paper(bots: Sequence[Bot], account: ExchangeAccount, by: By) -> int:
    """Move bots to a PAPER account and take their leave to enter with money, all or none. Raises NotMoved."""
    if account.is_live:
        raise NotMoved(f"account {account} is LIVE: name the PAPER account that the bots are to go to")
    return _move(bots, account, by, live=False)


def _asked(desk: OrderDesk) -> tuple[KeyRights, Mapping[str, Balance]]:
    try:
        return desk.key_rights(), desk.balances()
    except Rejected as error:
        raise NotConnected(f"the exchange refuses the key ({error.code or 'no code'}): {refusal_text(error)}") from None
    except Transient as error:
        raise NotConnected(f"the exchange cannot be asked now: {error}") from None


def _why_not_money(new: NewAccount, balances: Mapping[str, Balance]) -> str:
    found = balances.get(new.quote, Balance(ZERO, ZERO))
    if found.free >= new.capital:
        return ""
    return (
        f"an account with too little money: {canonical(found.free)} {new.quote} are free there, and its capital is to "
        f"be {canonical(new.capital)}"
    )


def _keep_untracked(account: ExchangeAccount, new: NewAccount, balances: Mapping[str, Balance]) -> None:
    """What the account has at the exchange beside our capital: never ours to trade with, and no difference later."""
    for asset, balance in balances.items():
        row, _ = AssetBalance.objects.get_or_create(account=account, asset=asset)
        with exact():
            row.untracked = balance.total - (new.capital if asset == new.quote else ZERO)
        row.save(update_fields=["untracked"])


def _tell_connected(account: ExchangeAccount, new: NewAccount, warnings: list[str], by: By) -> None:
    _tell(
        AccountConnected(by.actor, by.reason, account.name, new.capital, account.fingerprint),
        f"{by.actor} connected LIVE account {account} at {account.exchange} with {canonical(new.capital)} {new.quote}",
        by,
    )
    for warning in warnings:
        _tell(KeyWarning(by.actor, by.reason, account.name), f"account {account}: {warning}", by)


def _move(bots: Sequence[Bot], account: ExchangeAccount, by: By, *, live: bool) -> int:
    for account_id in sorted({account.pk, *(bot.account_id for bot in bots)}):
        lock_portfolio(account_id)  # in one order, so that two who move bots never wait for each other
    stored = list(Bot.objects.select_related("account").filter(pk__in=[bot.pk for bot in bots]))
    problems = [problem for bot in stored if (problem := _why_not_moved(bot, account))]
    if problems:
        raise NotMoved("\n".join(problems))
    for bot in stored:
        _move_one(bot, account, by, live=live)
    return len(stored)


def _why_not_moved(bot: Bot, account: ExchangeAccount) -> str:
    if bot.status == BotStatus.HALTED:
        return f"bot {bot.name} is halted: look at it and reset it first"
    if bot.account_id == account.pk:
        return ""
    if held := in_use(bot.pk):
        return f"bot {bot.name} has {held} on account {bot.account}: pause it, and move it once that is closed"
    problems = judge(
        strategy=bot.strategy,
        parameters=bot.parameters,
        symbol=bot.symbol,
        timeframe=bot.timeframe,
        capital=bot.capital,
        quote=account.quote,
        account_capital=capital_of(account.pk),
    )
    return "\n".join(f"bot {bot.name}: {problem}" for found in problems.values() for problem in found)


def _move_one(bot: Bot, account: ExchangeAccount, by: By, *, live: bool) -> None:
    was, had_leave = bot.account, bot.live
    bot.account, bot.live = account, live
    bot.save(update_fields=["account", "live", "updated_at"])
    if was.pk != account.pk:
        rebase_bot_peak(bot)  # a drawdown is counted within an account
    _tell(
        (BotGoneLive if live else BotGoneToPaper)(by.actor, by.reason, was.name, account.name),
        f"Bot {bot.name} {'may enter with money' if live else 'is on paper'} on account {account}, by {by.actor}",
        by,
        bot.pk,
    )
    by.audit(
        "go_live" if live else "go_paper",
        f"bot {bot.name}",
        bot_id=bot.pk,
        before={"account": was.name, "live": had_leave},
        after={"account": account.name, "live": live},
    )


def _tell(payload: Payload, text: str, by: By, bot_id: int | None = None) -> None:
    publish(
        payload,
        text + (f": {by.reason}" if by.reason else ""),
        severity=Severity.WARNING,
        bot_id=bot_id,
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )
