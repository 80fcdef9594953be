"""What may happen to a bot, and whose turn its next slot is. Every write is a compare-and-swap.

A status moves along MOVES and nowhere else; the move, the bot's schedule and the event are one transaction. A slot is
claimed by one UPDATE, so any number of messages, beats and workers may ring for it: one tick runs.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q

from bots import schedule
from bots.event_kinds import BotHalted, BotPaused, BotReset, BotResumed, BotStarted, BotStopped, Moved
from bots.models import Bot, BotStatus
from market.clock import Now
from market.slots import TIMEFRAMES, grace_ms, slot_at, slot_start_ms
from notifications.events import publish
from notifications.models import Severity

LEASE = timedelta(seconds=100)
"""How long a claim keeps others out, wall time. Longer than a task's hard time limit (90 s): whoever holds an expired
lease has been killed."""

AGAIN = "again"
"""In the lease's place: the slot was ticked before, and what the bot holds was not seen to."""


class IllegalTransition(Exception):
    """The bot's status does not allow this. The text says what it is and what would."""


@dataclass(frozen=True, slots=True)
class Move:
    """One legal kind of status change, and the event that tells of it."""

    act: str
    sources: tuple[BotStatus, ...]
    target: BotStatus
    event: type[Moved]
    done: str


START = Move("start", (BotStatus.STOPPED,), BotStatus.RUNNING, BotStarted, "started")
PAUSE = Move("pause", (BotStatus.RUNNING,), BotStatus.PAUSED, BotPaused, "paused")
RESUME = Move("resume", (BotStatus.PAUSED,), BotStatus.RUNNING, BotResumed, "resumed")
HALT = Move("halt", (BotStatus.RUNNING, BotStatus.PAUSED), BotStatus.HALTED, BotHalted, "halted")
# A reset ends in PAUSED: to look at a bot and to let it enter again are two decisions.
RESET = Move("reset", (BotStatus.HALTED,), BotStatus.PAUSED, BotReset, "reset")
# Not from HALTED: the reason of a halt is acknowledged by its reset, not thrown away with the bot.
STOP = Move("stop", (BotStatus.RUNNING, BotStatus.PAUSED), BotStatus.STOPPED, BotStopped, "stopped")

MOVES = (START, PAUSE, RESUME, HALT, RESET, STOP)


def start(bot: Bot, *, now: Now, actor: str, reason: str = "") -> Bot:
    """Put a stopped bot in service: its current slot is due at once, unless it has been claimed already.

    Older slots are forgotten: nobody may find the bot months late.
    """
    return _move(bot, START, now, actor, reason)


def pause(bot: Bot, *, now: Now, actor: str, reason: str = "") -> Bot:
    """No more entries; the bot goes on ticking for its exits."""
    return _move(bot, PAUSE, now, actor, reason)


def resume(bot: Bot, *, now: Now, actor: str, reason: str = "") -> Bot:
    """Let a paused bot enter again."""
    return _move(bot, RESUME, now, actor, reason)


def stop(bot: Bot, *, now: Now, actor: str, reason: str = "") -> Bot:
    """Take a bot out of service: it does not tick any more, so nobody manages its exits.

    This floor knows no positions. The caller, on an upper floor, guarantees in the same transaction (under the
    portfolio lock, which every entry takes) that the bot has no live position and no unfinished order.
    """
    return _move(bot, STOP, now, actor, reason)


def halt(bot_id: int, reason: str, *, now: Now, actor: str) -> Bot:
    """A risk check takes the bot's right to enter; only ``reset`` gives it back."""
    return _move(Bot(pk=bot_id), HALT, now, actor, reason)


def reset(bot: Bot, *, now: Now, actor: str, reason: str = "") -> Bot:
    """Acknowledge a halt. The bot is paused then; ``resume`` lets it enter."""
    return _move(bot, RESET, now, actor, reason)


@transaction.atomic
def _move(bot: Bot, move: Move, now: Now, actor: str, reason: str) -> Bot:
    """Returns the bot as stored now; the caller's ``bot`` learns its new status too. Raises IllegalTransition."""
    stored = Bot.objects.filter(pk=bot.pk).first()
    if stored is None:
        raise IllegalTransition(f"cannot {move.act} bot {bot.pk}: there is no such bot")
    if stored.status not in move.sources:
        raise IllegalTransition(f"cannot {move.act} bot {stored.name}: it is {stored.status}, {_legal(stored.status)}")
    before, changes = stored.status, _changes(stored, move, now, reason)
    same = Bot.objects.filter(pk=stored.pk, status=before, timeframe=stored.timeframe)
    if same.update(**changes) != 1:
        raise IllegalTransition(f"cannot {move.act} bot {stored.name}: it was changed by somebody else meanwhile")
    for name, value in changes.items():
        setattr(stored, name, value)
        setattr(bot, name, value)
    if BotStatus.STOPPED in (before, move.target):
        schedule.sync(stored)
    publish(
        move.event(from_=before, to=move.target, actor=actor, reason=reason),
        f"Bot {stored.name} {move.done} by {actor}" + (f": {reason}" if reason else ""),
        market_at=now.market_at,
        wall_at=now.wall_at,
        bot_id=stored.pk,
        severity=Severity.WARNING if move is HALT else Severity.INFO,
    )
    return stored


def _changes(stored: Bot, move: Move, now: Now, reason: str) -> dict[str, str | int | datetime]:
    changes: dict[str, str | int | datetime] = {
        "status": move.target,
        "status_reason": reason[:200],
        "updated_at": now.wall_at,
    }
    if move is START:
        current = slot_at(now.market_ms, stored.interval_s)
        changes["last_slot"] = current if stored.last_slot == current else current - 1
    return changes


def _legal(status: str) -> str:
    """What may be typed instead."""
    commands = [f"{move.act}_bot" for move in MOVES if status in move.sources and move is not HALT]
    return f"use {' or '.join(commands)}"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run one slot's tick, until ``until`` (wall time). Whoever holds it must ``release`` it."""

    bot_id: int
    slot: int
    token: str
    until: datetime


def claim_tick(bot_id: int, slot: int, now: Now, token: str | None = None) -> Claim | None:
    """Take the slot and the bot's lease in one UPDATE; None when somebody else has either (see ``why_not_claimed``).

    ``token`` (at most 36 characters) names the holder; give the Celery task's id to find the claim of a killed task.
    A slot that has not begun is refused: it was computed for another timeframe, and would block the bot for years.
    """
    claim = Claim(bot_id, slot, token or str(uuid4()), now.wall_at + LEASE)
    begun = [name for name, interval in TIMEFRAMES.items() if slot <= slot_at(now.market_ms, interval)]
    due = Bot.objects.filter(_free(now), pk=bot_id, last_slot__lt=slot, timeframe__in=begun)
    in_service = due.exclude(status=BotStatus.STOPPED)
    claimed = in_service.update(last_slot=slot, lease_token=claim.token, lease_until=claim.until)
    return claim if claimed == 1 else None


def why_not_claimed(bot_id: int, slot: int, now: Now) -> str:
    """A short reason for the log. The row may have changed since the claim was refused."""
    bot = Bot.objects.filter(pk=bot_id).first()
    if bot is None:
        return "no such bot"
    if bot.status == BotStatus.STOPPED:
        return "stopped"
    current = slot_at(now.market_ms, bot.interval_s)
    if bot.last_slot > current:
        return f"the market clock went back: slot {bot.last_slot} was claimed, now is {current}"
    if slot > current:
        return f"slot {slot} has not begun, now is {current}"
    if bot.last_slot >= slot:
        return f"slot {bot.last_slot} is claimed already"
    if bot.lease_until is not None and bot.lease_until >= now.wall_at:
        return f"still ticking, leased for {(bot.lease_until - now.wall_at).total_seconds():.0f} s more"
    return "somebody else was faster"


def release(claim: Claim, now: Now, failed: bool, again: bool = False) -> bool:
    """End a tick: give the lease back and count it. False when the lease had expired and somebody else took it.

    ``ticks`` counts every finished tick, ``ticks_failed`` those of them that failed. ``again`` gives the slot back too:
    it is rung for again soon, and whoever claims it finds AGAIN in the lease's place.
    """
    ours = Bot.objects.filter(pk=claim.bot_id, lease_token=claim.token)
    counts = {"ticks": F("ticks") + 1, **({"ticks_failed": F("ticks_failed") + 1} if failed else {})}
    return ours.update(last_tick_at=now.wall_at, **counts, **_freed(again)) == 1


def free_lease(bot_id: int, token: str, *, again: bool) -> bool:
    """Take the lease from a holder that is known to be dead. False when it is not the holder any more.

    ``again`` gives the slot back too (see ``release``).
    """
    held = Bot.objects.filter(pk=bot_id, lease_token=token)
    return held.update(**_freed(again)) == 1


def borrow_lease(bot_id: int, now: Now, token: str) -> str | None:
    """Take the bot's lease without a slot, to see to what it holds between ticks; None when somebody else has it.

    Returns what stood in the lease's place: ``return_lease`` puts it back.
    """
    before = Bot.objects.filter(pk=bot_id).values_list("lease_token", flat=True).first()
    if before is None:
        return None
    bot = Bot.objects.filter(_free(now), pk=bot_id, lease_token=before)
    taken = bot.update(lease_token=token, lease_until=now.wall_at + LEASE)
    return (AGAIN if before == AGAIN else "") if taken == 1 else None


def return_lease(bot_id: int, token: str, before: str) -> bool:
    """Give a borrowed lease back. False when it had expired and somebody else took it."""
    return Bot.objects.filter(pk=bot_id, lease_token=token).update(lease_token=before, lease_until=None) == 1


def _free(now: Now) -> Q:
    """Nobody's, or its time is over; or it was taken before the clock was set back: no lease reaches so far."""
    run_out = Q(lease_until__lt=now.wall_at) | Q(lease_until__gt=now.wall_at + 2 * LEASE)
    return Q(lease_until__isnull=True) | run_out


def _freed(again: bool) -> dict[str, Any]:
    slot = {"last_slot": F("last_slot") - 1} if again else {}
    return {"lease_token": AGAIN if again else "", "lease_until": None, **slot}


def left_ms(slot: int, interval_s: int, stagger_s: int, now: Now, speed: float) -> int:
    """How long the slot's tick may still enter: market milliseconds, below 0 when it is too late.

    Late is later than the bot's time in the slot and ``grace_ms``.
    """
    return slot_start_ms(slot, interval_s) + stagger_s * 1000 + grace_ms(interval_s, speed) - now.market_ms


def is_late(slot: int, interval_s: int, stagger_s: int, now: Now, speed: float) -> bool:
    """Whether the slot's tick is too old to enter, so that it may only exit."""
    return left_ms(slot, interval_s, stagger_s, now, speed) < 0
