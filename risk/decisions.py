"""One row per bot and slot: what was looked at, what was decided, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bots.models import Bot
from bots.strategies.base import Action
from market.clock import Now
from notifications.events import publish
from risk.event_kinds import SignalGenerated
from risk.models import Decision, Outcome
from risk.opinion import Opinion
from risk.verdicts import CheckResult


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a tick looked at, as JSON values: the signal with its indicators, and the closed candle; and what it was
    told of the entry (None: nobody was asked before it)."""

    slot: int
    signal: Mapping[str, Any] = field(default_factory=dict)
    candle: Mapping[str, Any] = field(default_factory=dict)
    opinion: Opinion | None = None


UNDECIDED = (Outcome.SKIPPED, Outcome.FAILED)
"""Outcomes of a tick that decided nothing: when the slot is ticked again, the new outcome takes their place."""


ACTED_ON = (Outcome.APPROVED, Outcome.REFUSED, Outcome.EXIT)
"""Only a signal that led to something is an event: a bot that holds nothing is told to exit at every other candle."""


def is_decided(bot_id: int, slot: int) -> bool:
    """Whether the slot has a decision that stands."""
    return Decision.objects.filter(bot_id=bot_id, slot=slot).exclude(outcome__in=UNDECIDED).exists()


def forget_undecided(bot_id: int, slot: int) -> None:
    """Make room for the outcome of the next attempt at a slot."""
    Decision.objects.filter(bot_id=bot_id, slot=slot, outcome__in=UNDECIDED).delete()


def write_decision(
    bot: Bot,
    grounds: Grounds,
    outcome: Outcome,
    reason: str,
    now: Now,
    *,
    checks: Sequence[CheckResult] = (),
    failed_check: str = "",
) -> Decision:
    """Store the decision of one slot, in the transaction of what it decided. A second one for a slot raises
    django.db.IntegrityError."""
    if outcome in ACTED_ON and grounds.signal.get("action") in (Action.ENTER, Action.EXIT):
        publish(
            SignalGenerated(grounds.slot, grounds.signal),
            f"{bot.name}: {grounds.signal['action']} {bot.symbol}, {grounds.signal['reason']}",
            bot_id=bot.pk,
            market_at=now.market_at,
            wall_at=now.wall_at,
        )
    return Decision.objects.create(
        bot=bot,
        slot=grounds.slot,
        outcome=outcome,
        reason=reason[:300],
        bot_status=bot.status,
        failed_check=failed_check,
        signal=dict(grounds.signal),
        candle=dict(grounds.candle),
        checks=[check.as_dict() for check in checks],
        opinion=None if grounds.opinion is None else grounds.opinion.as_dict(),
        market_at=now.market_at,
        wall_at=now.wall_at,
    )


def keep_opinion(bot_id: int, slot: int, opinion: Opinion) -> None:
    """Add an opinion that was asked for after the decision: it changed nothing, and is kept to be judged by."""
    Decision.objects.filter(bot_id=bot_id, slot=slot, opinion__isnull=True).update(opinion=opinion.as_dict())
