"""From an event to the message that tells it: the rows it needs are read here, its text is made in telegram_texts."""

from collections.abc import Mapping
from dataclasses import dataclass

from bots.models import Bot
from execution.models import Order, Position, Purpose
from notifications.models import Event
from notifications.telegram.values import Note
from tradingplatform.telegram_kinds import Volume, volume
from tradingplatform.telegram_texts import Alert, alert_text

_OF_POSITIONS = ("position_opened", "position_closed")


@dataclass(frozen=True, slots=True)
class Composer:
    """``chosen``: the volumes that were set; ``least``: the severity below which nothing is told."""

    least: str
    chosen: Mapping[str, Volume]

    def __call__(self, event: Event) -> Note | None:
        """None where nobody wants to know."""
        loud = volume(event.kind, event.severity, self.least, self.chosen)
        if loud is Volume.OFF:
            return None
        return Note(alert_text(_alert(event)), silent=loud is Volume.SILENT)


def _alert(event: Event) -> Alert:
    payload = event.payload if isinstance(event.payload, dict) else {}
    name = Bot.objects.filter(pk=event.bot_id).values_list("name", flat=True).first() if event.bot_id else None
    alert = Alert(event.kind, event.severity, event.text, event.market_at, payload, name or "")
    return _with_position(alert) if event.kind in _OF_POSITIONS else alert


def _with_position(alert: Alert) -> Alert:
    number = str(alert.payload.get("position", ""))
    position = Position.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
    if position is None:
        return alert
    entry = Order.objects.filter(position=position, purpose=Purpose.ENTRY).first()
    begun, ended = position.opened_at, position.closed_at
    return Alert(
        alert.kind,
        alert.severity,
        alert.text,
        alert.market_at,
        alert.payload,
        alert.bot,
        cost=entry.filled_cost if entry is not None and entry.filled_cost else None,
        held_for=ended - begun if begun is not None and ended is not None else None,
        exit_text=position.exit_text,
    )
