"""Halts as rows: raised by a check or an operator, in force until an operator clears them."""

from collections.abc import Mapping

from django.db.models import Q

from bots.models import Bot, ExchangeAccount
from market.clock import Now
from notifications.events import publish
from notifications.models import Severity
from risk.models import Halt


def open_halts(account_id: int, bot_id: int) -> tuple[str, ...]:
    """What stops this bot's entries now, in words: its own halts and its account's."""
    in_force = Halt.objects.filter(Q(bot_id=bot_id) | Q(account_id=account_id, bot=None), cleared_at=None)
    return tuple(in_force.order_by("pk").values_list("text", flat=True))


def raise_halt(
    account: ExchangeAccount | None,
    bot: Bot | None,
    cause: str,
    text: str,
    figures: Mapping[str, str],
    now: Now,
    *,
    closes: bool = False,
) -> Halt | None:
    """Stop the entries of a bot, or (bot None) of the whole account. None when the same halt is already in force.

    Call it inside the transaction of what caused it, under the portfolio lock.
    """
    if Halt.objects.filter(account=account, bot=bot, cause=cause, cleared_at=None).exists():
        return None
    halt = Halt.objects.create(
        account=account,
        bot=bot,
        cause=cause,
        text=text[:300],
        figures=dict(figures),
        closes=closes,
        market_at=now.market_at,
        raised_at=now.wall_at,
    )
    publish(
        "halt_raised",
        text,
        severity=Severity.CRITICAL,
        bot_id=bot.pk if bot else None,
        payload={"cause": cause, "scope": "bot" if bot else "account", **figures},
        market_at=now.market_at,
        wall_at=now.wall_at,
    )
    return halt


def clear_halt(halt_id: int, actor: str, reason: str, now: Now) -> bool:
    """End a halt. False when it was not in force any more. Raises ValueError without an actor and a reason."""
    if not actor or not reason.strip():
        raise ValueError("a halt is cleared by somebody, for a reason: give both")
    cleared = Halt.objects.filter(pk=halt_id, cleared_at=None).update(
        cleared_at=now.wall_at, cleared_by=actor, clear_reason=reason
    )
    if cleared:
        halt = Halt.objects.get(pk=halt_id)
        publish(
            "halt_cleared",
            f"{actor} cleared a halt: {halt.text}",
            severity=Severity.WARNING,
            bot_id=halt.bot_id,
            payload={"cause": halt.cause, "actor": actor, "reason": reason},
            market_at=now.market_at,
            wall_at=now.wall_at,
        )
    return bool(cleared)
