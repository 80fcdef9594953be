"""Limits as rows that are changed safely: tightening holds at once, loosening from a later moment of market time.

All writing here is under the caller's portfolio lock, in the caller's transaction. Nothing has to happen for a
loosening to hold in time: whoever reads the limits takes a change whose time has come into account, and the order gate
books it first. So no process that is dead, slow or early can delay or hasten anything.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from bots.models import Bot, ExchangeAccount
from market.clock import Now
from notifications.events import publish
from notifications.models import Severity
from risk.event_kinds import LimitChanged
from risk.limit_rules import Value, loosens, plain, read_limit, with_limit
from risk.limits import BotLimits, PortfolioLimits
from risk.models import BotRiskLimits, LimitChange, PortfolioRiskLimits

WAITING = Q(applied_at__isnull=True, withdrawn_at__isnull=True)

Row = BotRiskLimits | PortfolioRiskLimits


class UnusableLimits(ValueError):
    """A row of limits, or a change of one, that cannot be used: nothing may enter. The text says which and why."""


class NothingToChange(ValueError):
    """The limit is so already, and no change of it waits."""


@dataclass(frozen=True, slots=True)
class Wish:
    """One limit as somebody wants it. ``loose_at``: the market time from which it holds if it loosens."""

    name: str
    value: Value
    actor: str
    reason: str
    loose_at: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """The limits that hold now. Where one is None, ``faults`` says why."""

    bot: BotLimits | None
    portfolio: PortfolioLimits | None
    faults: tuple[str, ...]


def limits_at_gate(bot: Bot, account_id: int, now: Now) -> InForce:
    """The limits that an entry is measured against, after booking every change that is due."""
    faults: list[str] = []
    for change in _due(bot.pk, account_id, now):
        try:
            _book(change, now)
        except UnusableLimits as error:
            faults.append(str(error))
    of_bot = _usable(BotRiskLimits.objects.filter(bot_id=bot.pk), f"bot {bot.name}", faults)
    rows = PortfolioRiskLimits.objects.filter(account_id=account_id)
    of_account = _usable(rows, f"account {bot.account.name}", faults)
    return InForce(
        of_bot if isinstance(of_bot, BotLimits) else None,
        of_account if isinstance(of_account, PortfolioLimits) else None,
        tuple(faults),
    )


def book_due_of_account(account_id: int, now: Now) -> None:
    """Book every change of an account's and of its bots' limits whose time has come. One that cannot be used waits."""
    for change in LimitChange.objects.filter(WAITING, account_id=account_id, effective_at__lte=now.market_at):
        with suppress(UnusableLimits):
            _book(change, now)


def portfolio_limits(account_id: int) -> PortfolioLimits | None:
    """An account's limits as its row has them; None where that cannot be used."""
    value = _usable(PortfolioRiskLimits.objects.filter(account_id=account_id), f"account {account_id}", [])
    return value if isinstance(value, PortfolioLimits) else None


def limits_of_bots(bot_ids: Sequence[int]) -> dict[int, BotLimits]:
    """The limits of these bots as their rows have them, in one query; without those that cannot be used."""
    try:
        return {row.bot_id: row.value() for row in BotRiskLimits.objects.filter(bot__in=bot_ids)}
    except (ValueError, ArithmeticError):  # one of them: the others must not suffer for it
        return {bot_id: value for bot_id in bot_ids if (value := _bot_limits(bot_id)) is not None}


def _bot_limits(bot_id: int) -> BotLimits | None:
    value = _usable(BotRiskLimits.objects.filter(bot_id=bot_id), f"bot {bot_id}", [])
    return value if isinstance(value, BotLimits) else None


def bot_limits_now(bot: Bot, now: Now) -> BotLimits:
    """A bot's limits as the gate would find them now; books nothing, takes no lock. Raises UnusableLimits."""
    value = value_of(BotRiskLimits.objects.filter(bot_id=bot.pk), f"bot {bot.name}")
    if not isinstance(value, BotLimits):
        raise AssertionError(f"the limits of a bot are {value}")
    for change in LimitChange.objects.filter(WAITING, bot=bot, effective_at__lte=now.market_at):
        value = with_limit(value, change.name, value_after(change))
    return value


def value_of(row: QuerySet[BotRiskLimits] | QuerySet[PortfolioRiskLimits], whose: str) -> BotLimits | PortfolioLimits:
    """The row's limits as a value. Raises UnusableLimits when it is missing, out of bounds, or cannot be read."""
    try:
        found = row.first()
        if found is not None:
            return found.value()
    except (ValueError, ArithmeticError) as error:  # a text that is no number is ArithmeticError's kind
        raise UnusableLimits(f"the limits of {whose} cannot be used: {error or 'not a number'}") from None
    raise UnusableLimits(f"there are no limits of {whose}")


def value_after(change: LimitChange) -> Value:
    """What the change makes of its limit. Raises UnusableLimits."""
    try:
        return read_limit(BotLimits if change.bot_id is not None else PortfolioLimits, change.name, change.after)
    except ValueError as error:
        raise UnusableLimits(f"change {change.pk} of a limit cannot be used: {error}") from None


def waiting_of(row: Row) -> QuerySet[LimitChange]:
    """The changes of this row's limits that wait, at most one for each limit."""
    return LimitChange.objects.filter(WAITING, **_whose(row)).order_by("name")


def book_due(row: Row, now: Now) -> None:
    """Write the changes of this row whose time has come onto it. One that cannot be used goes on waiting."""
    for change in waiting_of(row).filter(effective_at__lte=now.market_at):
        with suppress(UnusableLimits):
            _book(change, now)
    row.refresh_from_db()


def put(row: Row, wish: Wish, now: Now) -> LimitChange | None:
    """Change one limit: at once when that tightens it, from ``loose_at`` on when it loosens it.

    A change of the same limit that waits is withdrawn; None when that is all, because the present value was asked for.
    The value is within bounds (limit_rules.read_limit). Raises NothingToChange.
    """
    before = getattr(row, wish.name)
    withdrawn = waiting_of(row).filter(name=wish.name).update(withdrawn_at=now.wall_at)
    if wish.value == before:
        if not withdrawn:
            raise NothingToChange(
                f"{wish.name} of {owner_of(row)} is {plain(before)} already: there is nothing to change"
            )
        return None
    looser = loosens(wish.name, before, wish.value)
    change = LimitChange(
        account=_account(row),
        bot=row.bot if isinstance(row, BotRiskLimits) else None,
        name=wish.name,
        before=plain(before),
        after=plain(wish.value),
        loosens=looser,
        actor=wish.actor,
        reason=wish.reason,
        asked_at=now.wall_at,
        effective_at=wish.loose_at if looser else now.market_at,
        applied_at=None if looser else now.wall_at,
    )
    change.save()
    if not looser:  # one column and no other: the rest of the row is as others left it
        _row_of(change).update(**{wish.name: wish.value, "updated_at": now.wall_at})
        setattr(row, wish.name, wish.value)
    return change


def _book(change: LimitChange, now: Now) -> None:
    """Make a due change hold, once, whoever else tries. Raises UnusableLimits."""
    value, row = value_after(change), _row_of(change)
    try:
        with transaction.atomic():
            if LimitChange.objects.filter(WAITING, pk=change.pk).update(applied_at=now.wall_at) != 1:
                return
            row.update(**{change.name: value, "updated_at": now.wall_at})
    except IntegrityError as error:  # what else the row holds is out of bounds
        raise UnusableLimits(f"change {change.pk} of a limit cannot be booked: {error}") from None
    whose = f"bot {change.bot.name}" if change.bot is not None else f"account {change.account.name}"
    publish(
        LimitChanged(limit=change.name, from_=change.before, to=change.after, actor=change.actor),
        f"{change.name} of {whose} is {change.after} now, as {change.actor} asked: {change.reason}",
        severity=Severity.WARNING,
        bot_id=change.bot_id,
        market_at=now.market_at,
        wall_at=now.wall_at,
    )


def _row_of(change: LimitChange) -> QuerySet[Any]:
    if change.bot_id is not None:
        return BotRiskLimits.objects.filter(bot_id=change.bot_id)
    return PortfolioRiskLimits.objects.filter(account_id=change.account_id)


def _due(bot_id: int, account_id: int, now: Now) -> Iterable[LimitChange]:
    whose = Q(bot_id=bot_id) | Q(bot_id=None, account_id=account_id)
    return LimitChange.objects.filter(WAITING, whose, effective_at__lte=now.market_at).order_by("pk")


def _usable(
    row: QuerySet[BotRiskLimits] | QuerySet[PortfolioRiskLimits], whose: str, faults: list[str]
) -> BotLimits | PortfolioLimits | None:
    try:
        return value_of(row, whose)
    except UnusableLimits as error:
        faults.append(str(error))
        return None


def _whose(row: Row) -> dict[str, int | None]:
    if isinstance(row, BotRiskLimits):
        return {"bot_id": row.bot_id}
    return {"account_id": row.account_id, "bot_id": None}


def _account(row: Row) -> ExchangeAccount:
    return row.bot.account if isinstance(row, BotRiskLimits) else row.account


def owner_of(row: Row) -> str:
    """Whose limits they are, in words."""
    return f"bot {row.bot.name}" if isinstance(row, BotRiskLimits) else f"account {row.account.name}"
