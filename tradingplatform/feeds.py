"""Lists of events for people, newest first: which ones, chosen how, with what in each row."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet

from bots.models import Bot
from notifications.models import Event, Severity
from notifications.sequence import number_events
from tradingplatform.risk_kinds import Figures, figures_of

SHOWN = 100


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants to see; empty means everything. ``least``: from which severity on. ``bot``: its id."""

    least: str = ""
    kind: str = ""
    bot: int | None = None

    @property
    def severities(self) -> list[str]:
        """Severity's own order is from the least on."""
        return Severity.values[Severity.values.index(self.least) :] if self.least else []


@dataclass(frozen=True, slots=True)
class Row:
    """One event as it is shown. ``new``: since this person last looked."""

    event: Event
    bot: str
    figures: Figures
    new: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The newest of them, the newest first. ``after``: every event up to this number was looked at."""

    rows: list[Row]
    after: int
    new: int


def read_choice(least: str, kind: str, bot: str) -> Choice:
    """From the words of an address. What is no severity, no word and no number chooses nothing."""
    number = int(bot) if bot.isascii() and bot.isdigit() and len(bot) < 19 else None
    return Choice(least if least in Severity.values else "", kind if kind.isprintable() else "", number)


def newest(kinds: frozenset[str], choice: Choice, seen: int | None, most: int = SHOWN) -> Rows:
    """The newest events of these kinds (empty: of all) that somebody chose. ``seen``: the last that the person had
    looked at, None for the first time."""
    after = number_events()
    if choice.kind:
        of_choice = frozenset([choice.kind])
        events = _newest(of_choice, choice, after, most) if not kinds or choice.kind in kinds else []
    else:
        events = _newest(kinds, choice, after, most)
    names = dict(Bot.objects.filter(pk__in={event.bot_id for event in events}).values_list("pk", "name"))
    rows = [_row(event, names, seen) for event in events]
    return Rows(rows, after, sum(row.new for row in rows))


def _row(event: Event, names: Mapping[int, str], seen: int | None) -> Row:
    is_new = seen is not None and _number(event) > seen
    return Row(event, names.get(event.bot_id or 0, ""), figures_of(event.payload), is_new)


def bots_by_id() -> Mapping[int, str]:
    return dict(Bot.objects.order_by("name").values_list("pk", "name"))


def kinds_seen() -> list[str]:
    """Every kind that was ever published."""
    return list(Event.objects.order_by("kind").values_list("kind", flat=True).distinct())


def _newest(kinds: frozenset[str], choice: Choice, upto: int, most: int) -> list[Event]:
    """Each kind by its own index: one that is rare is not looked for among all the others."""
    found: list[Event] = []
    for lookup in [{"kind": kind} for kind in sorted(kinds)] or [{}]:
        found += _chosen(choice, upto).filter(**lookup).order_by("-id")[:most]
    return sorted(found, key=_number, reverse=True)[:most]


def _chosen(choice: Choice, upto: int) -> QuerySet[Event]:
    lookups: dict[str, Any] = {"seq__lte": upto}
    if choice.severities:
        lookups["severity__in"] = choice.severities
    if choice.bot is not None:
        lookups["bot_id"] = choice.bot
    return Event.objects.filter(**lookups)


def _number(event: Event) -> int:
    return event.seq or 0
