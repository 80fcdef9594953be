"""Halts as rows: raised by a breaker, a check or an operator, in force until they are cleared or their time is over.

Three scopes: one bot, one account (bot None), and everything (account None too): the kill switch.
"""

from collections.abc import Mapping
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from bots.models import Bot, ExchangeAccount
from market.clock import Now
from notifications.events import publish
from notifications.models import Severity
from risk.event_kinds import HaltCleared, HaltCloses, HaltRaised, OfHalt
from risk.models import Halt

OPERATOR = "operator"
"""The cause of a halt that a person began."""

CLOCK = "clock"
"""Who clears a halt whose time is over."""


def in_force(now: Now | None = None) -> QuerySet[Halt]:
    """The halts that stop entries now, the oldest first. One that ends by itself is over from its market time on,
    whether or not anybody has written that down; without ``now`` it counts until somebody has.
    """
    standing = Halt.objects.filter(cleared_at=None).order_by("pk")
    return standing if now is None else standing.filter(Q(until=None) | Q(until__gt=now.market_at))


def open_halts(account_id: int, bot_id: int, now: Now | None = None) -> tuple[str, ...]:
    """What stops this bot's entries now, in words: its own halts, its account's, and the kill switch."""
    mine = Q(bot_id=bot_id) | Q(account_id=account_id, bot=None) | Q(account=None)
    return tuple(in_force(now).filter(mine).values_list("text", flat=True))


def raise_halt(
    account: ExchangeAccount | None,
    bot: Bot | None,
    cause: str,
    text: str,
    figures: Mapping[str, str],
    now: Now,
    *,
    until: datetime | None = None,
    closes: bool = False,
) -> Halt | None:
    """Stop the entries of a bot, of a whole account (bot None), or of everything (account None too).

    None when the same halt is in force already; one that is to sell what is held (``closes``) does so from now on.
    ``until``: the market time at which it ends by itself. Call it inside the transaction of what caused it, under the
    portfolio lock.
    """
    same = Halt.objects.filter(account=account, bot=bot, cause=cause, cleared_at=None)
    standing = same.first()
    if standing is not None and not _end_if_over(standing, now):
        return _begin_closing(standing, text, now) if closes else None
    try:
        with transaction.atomic():
            halt = Halt.objects.create(
                account=account,
                bot=bot,
                cause=cause,
                text=text[:300],
                figures=dict(figures),
                until=until,
                closes=closes,
                market_at=now.market_at,
                raised_at=now.wall_at,
            )
    except IntegrityError:  # somebody without our lock raised the same halt of everything in this moment
        standing = same.first()
        return _begin_closing(standing, text, now) if closes and standing is not None else None
    _tell(HaltRaised(*_of(halt), figures), text, Severity.CRITICAL, halt, now)
    return halt


def clear_halt(halt_id: int, actor: str, reason: str, now: Now) -> bool:
    """End a halt. False when it was not in force any more. Raises ValueError without an actor and a reason."""
    if not actor or not reason.strip():
        raise ValueError("a halt is cleared by somebody, for a reason: give both")
    cleared = Halt.objects.filter(pk=halt_id, cleared_at=None).update(
        cleared_at=now.wall_at, cleared_by=actor, clear_reason=reason[:300]
    )
    if cleared:
        halt = Halt.objects.select_related("account", "bot").get(pk=halt_id)
        payload = HaltCleared(*_of(halt), actor, reason)
        _tell(payload, f"{actor} cleared a halt: {halt.text}", Severity.WARNING, halt, now)
    return bool(cleared)


def end_by_clock(now: Now) -> int:
    """Write down which halts are over by their own time, and tell it; how many. Call it in a transaction."""
    over = Halt.objects.filter(cleared_at=None, until__lte=now.market_at).select_related("account", "bot")
    return sum(_end_if_over(halt, now) for halt in over)


def _end_if_over(halt: Halt, now: Now) -> bool:
    if halt.until is None or now.market_at < halt.until:
        return False
    ended = Halt.objects.filter(pk=halt.pk, cleared_at=None).update(
        cleared_at=now.wall_at, cleared_by=CLOCK, clear_reason="its time is over"
    )
    if ended:
        text = f"The halt of {halt.scope} by {halt.cause.replace('_', ' ')} is over: entries go on"
        _tell(HaltCleared(*_of(halt), CLOCK), text, Severity.INFO, halt, now)
    return True


def _begin_closing(halt: Halt, text: str, now: Now) -> Halt | None:
    """The same stop, but now what is held is sold as well. None when that was so already."""
    if halt.closes:
        return None
    halt.closes = True
    halt.save(update_fields=["closes"])
    _tell(HaltCloses(*_of(halt)), text, Severity.CRITICAL, halt, now)
    return halt


def _tell(payload: OfHalt, text: str, severity: Severity, halt: Halt, now: Now) -> None:
    publish(payload, text, severity=severity, bot_id=halt.bot_id, market_at=now.market_at, wall_at=now.wall_at)


def _of(halt: Halt) -> tuple[str, str, bool]:
    """What every event of a halt says: cause, scope, and whether it sells."""
    wide = "account" if halt.account_id is not None else "everything"
    return halt.cause, "bot" if halt.bot_id is not None else wide, halt.closes
