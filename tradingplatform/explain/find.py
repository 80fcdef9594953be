"""What ``explain`` adds to what ``why`` found."""

from collections.abc import Collection
from datetime import datetime
from pathlib import Path
from typing import Any

from bots.models import Bot
from notifications.models import Event
from tradingplatform.explain.log_files import log_lines
from tradingplatform.explain.pick import Wanted

MOST_EVENTS = 200
MOST_LINES = 400


def with_events_and_log(told: dict[str, Any], folder: Path, orders: Collection[str] = ()) -> dict[str, Any]:
    """``told`` with ``all_events`` and ``log``, as JSON values, the oldest first; of each the first so many.

    ``orders``: the names of those that were asked for, besides the slot's.
    """
    bot = Bot.objects.get(name=told["bot"])
    slot = told["slot"]
    begins_at, ends_at = (datetime.fromisoformat(slot[name]) for name in ("begins_at", "ends_at"))
    events = Event.objects.filter(bot_id=bot.pk, market_at__gte=begins_at, market_at__lt=ends_at).order_by("pk")
    lines = log_lines(folder, _wanted(bot, told, orders))
    return {
        **told,
        "all_events": [_event(event) for event in events[:MOST_EVENTS]],
        "log": [dict(line) for line in lines[:MOST_LINES]],
        "log_left_out": max(0, len(lines) - MOST_LINES),
        "log_folder": str(folder),
    }


def _wanted(bot: Bot, told: dict[str, Any], orders: Collection[str]) -> Wanted:
    slot = told["slot"]
    return Wanted(
        bot=bot.name,
        bot_id=bot.pk,
        slot=slot["number"],
        begins_at=_time(slot["wall_begins_at"]),
        ends_at=_time(slot["wall_ends_at"]),
        orders=frozenset([*orders, *(order["client_order_id"] for order in told["orders"])]),
    )


def _event(event: Event) -> dict[str, Any]:
    return {
        "seq": event.seq,
        "kind": event.kind,
        "severity": event.severity,
        "text": event.text,
        "payload": event.payload,
        "market_at": event.market_at.isoformat(),
        "wall_at": event.wall_at.isoformat(),
    }


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
