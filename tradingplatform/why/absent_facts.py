"""The rows that tell why there was no tick in a slot."""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from bots.lifecycle import MOVES
from bots.models import Bot, BotStatus
from execution.models import EquitySnapshot
from market.clock import Clock, Now, moment
from market.slots import grace_ms, slot_start_ms
from notifications.models import Event
from risk.models import Decision
from tradingplatform.phase import due_ms
from tradingplatform.retention import kept_whole_since
from tradingplatform.why.absent import Facts
from tradingplatform.why.times import market_of

MOVED = [move.event.kind for move in MOVES]
OVERDUE_WALL_MS = 20_000
"""So long after it is due, two rings of the sweeper included, a slot counts as missed."""


def late_ms(slot: int, bot: Bot, clock: Clock) -> int:
    """Market ms from which a slot without a decision is missed."""
    patience = max(grace_ms(bot.interval_s, clock.speed), round(OVERDUE_WALL_MS * clock.speed))
    return due_ms(slot, bot.interval_s, bot.stagger_s) + patience


def facts_of(bot: Bot, slot: int, clock: Clock, now: Now) -> Facts:
    """Inside one moment."""
    due_at = moment(due_ms(slot, bot.interval_s, bot.stagger_s))
    ends_at = moment(slot_start_ms(slot + 1, bot.interval_s))
    moves = Event.objects.filter(bot_id=bot.pk, kind__in=MOVED)
    moved = moves.filter(market_at__lte=due_at).order_by("-pk").first()
    decided = Decision.objects.order_by().values_list("market_at", flat=True)
    meanwhile = decided.filter(market_at__gte=due_at, market_at__lt=ends_at)
    seen = EquitySnapshot.objects.filter(bot=None).order_by().values_list("market_at", flat=True)
    before, after = _around(decided, due_at)
    seen_before, seen_after = _around(seen, due_at)
    return Facts(
        begins_at=moment(slot_start_ms(slot, bot.interval_s)),
        ends_at=ends_at,
        due_at=due_at,
        late_at=moment(late_ms(slot, bot, clock)),
        now_at=now.market_at,
        speed=clock.speed,
        ticking=_is_ticking(bot, slot, now),
        claimed=bot.last_slot >= slot,
        created_at=_created_at(bot, clock),
        status=_status(bot, moved, moves),
        moved=moved.text if moved else "",
        moved_at=moved.market_at if moved else None,
        started_in_it=moves.filter(kind="bot_started", market_at__gt=due_at, market_at__lt=ends_at).exists(),
        before=before,
        after=after,
        others=meanwhile.count(),
        others_at=meanwhile.order_by("market_at").last(),
        seen_before=seen_before,
        seen_after=seen_after,
        rested_s=_rested_s(before, after, clock.speed),
        kept_since=kept_whole_since(now, settings.RETENTION_DAYS),
    )


def _is_ticking(bot: Bot, slot: int, now: Now) -> bool:
    return bot.last_slot == slot and bot.lease_until is not None and bot.lease_until >= now.wall_at


def _status(bot: Bot, moved: Event | None, moves: "QuerySet[Event]") -> str:
    """The bot's status after its last move. Before its first one it is what every bot is made as: STOPPED."""
    if moved is None:
        return BotStatus.STOPPED if bot.status == BotStatus.STOPPED or moves.exists() else ""
    return str(moved.payload.get("to", ""))


def _created_at(bot: Bot, clock: Clock) -> datetime | None:
    """In market time: by the event that tells it, or by the wall time of the row."""
    told = Event.objects.filter(bot_id=bot.pk, kind="bot_created").order_by("pk").first()
    return told.market_at if told else market_of(bot.created_at, clock)


def _rested_s(before: datetime | None, after: datetime | None, speed: float) -> float:
    """Market time rests while the platform is off, on a rehearsal clock: the wall went on between two decisions."""
    if before is None or after is None:
        return 0.0
    walls = dict(Decision.objects.filter(market_at__in=(before, after)).values_list("market_at", "wall_at"))
    return (walls[after] - walls[before]).total_seconds() - (after - before).total_seconds() / speed


def _around(times: "QuerySet[Any, Any]", at: datetime) -> tuple[datetime | None, datetime | None]:
    before = times.filter(market_at__lt=at).order_by("market_at").last()
    return before, times.filter(market_at__gte=at).order_by("market_at").first()
