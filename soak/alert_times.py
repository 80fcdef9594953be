"""From a fill to the alert of it: which message told which event, and how long that took. PURE."""

import re
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

KINDS = ("order_filled", "position_opened", "position_closed")
"""What tells of fills."""

_TITLES = {
    "Order filled: ": "order_filled",
    "Bought ": "position_opened",
    "Profit ": "position_closed",
    "Loss ": "position_closed",
    "Even ": "position_closed",
}
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True, slots=True)
class Filled:
    """An event of a fill. Times are wall seconds: when it was booked (the event's own time, before its commit), and
    when the exchange executed it. ``second``: its market time, as alerts show it."""

    seq: int
    kind: str
    bot: str
    second: str
    purpose: str
    booked_s: float
    executed_s: float


@dataclass(frozen=True, slots=True)
class Message:
    """What a receiver took, and when: wall seconds."""

    text: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Period:
    """A part of a run. ``excused``: what is late in it is late by somebody else's fault."""

    name: str
    begins_s: float
    ends_s: float
    excused: bool = False


class Key(NamedTuple):
    """What an alert shows of the event that it tells."""

    kind: str
    purpose: str
    bot: str
    second: str


@dataclass
class Arrivals:
    """``at_s``: when each event, by its number, arrived first."""

    at_s: dict[int, float] = field(default_factory=dict)
    twice: int = 0
    overtaken: int = 0
    unknown: int = 0
    _last: int = 0

    def took(self, seq: int, at_s: float) -> None:
        """An event has come."""
        if seq in self.at_s:
            self.twice += 1
            return
        self.overtaken += seq < self._last
        self._last = max(self._last, seq)
        self.at_s[seq] = at_s


def key_of(paragraph: str) -> Key | None:
    """Of one alert in a message, in HTML; None where it tells of no fill."""
    lines = [_TAG.sub("", line) for line in paragraph.split("\n") if line != "<i>(again)</i>"]
    kind = next((kind for title, kind in _TITLES.items() if lines[0].startswith(title)), None)
    bot = next((line.removeprefix("bot ") for line in lines if line.startswith("bot ")), "")
    if kind is None:
        return None
    purpose = lines[0].removeprefix("Order filled: ").split(" ")[0] if kind == "order_filled" else ""
    return Key(kind, purpose, bot, lines[-1].removesuffix(" UTC"))


def arrivals(events: Iterable[Filled], messages: Sequence[Message]) -> Arrivals:
    """Messages in the order in which they came. Events that look the same come in their order."""
    waiting: dict[Key, deque[int]] = defaultdict(deque)
    last: dict[Key, int] = {}
    for event in sorted(events, key=lambda event: event.seq):
        waiting[Key(event.kind, event.purpose, event.bot, event.second)].append(event.seq)
    found = Arrivals()
    for message in messages:
        for key in filter(None, map(key_of, message.text.split("\n\n"))):
            if waiting[key]:
                last[key] = waiting[key].popleft()
                found.took(last[key], message.at_s)
            elif key in last:
                found.took(last[key], message.at_s)
            else:
                found.unknown += 1
    return found


def most_in(messages: Sequence[Message], seconds: float) -> int:
    """The most messages within so many seconds."""
    times, first, most = sorted(message.at_s for message in messages), 0, 0
    for number, at_s in enumerate(times):
        while times[first] < at_s - seconds:
            first += 1
        most = max(most, number - first + 1)
    return most


def period_of(event: Filled, at_s: float, periods: Sequence[Period]) -> Period:
    """The first that the event waited in: list those first that excuse a delay."""
    return next(one for one in periods if event.booked_s < one.ends_s and at_s >= one.begins_s)


def delays(
    events: Iterable[Filled], at_s: Mapping[int, float], periods: Sequence[Period], *, executed: bool
) -> dict[str, list[float]]:
    """Seconds to the arrival, by the name of the period; from the exchange's execution, or from when it was booked."""
    found: dict[str, list[float]] = {period.name: [] for period in periods}
    for event in events:
        if event.seq in at_s:
            arrived_s = at_s[event.seq]
            begun_s = event.executed_s if executed else event.booked_s
            found[period_of(event, arrived_s, periods).name].append(arrived_s - begun_s)
    return found


def row(seconds: Sequence[float]) -> str:
    """Count, median, 99 % and the worst."""
    if not seconds:
        return f"{0:6}"
    ordered = sorted(seconds)
    p99 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))]
    return f"{len(ordered):6} {median(ordered):8.2f} {p99:8.2f} {ordered[-1]:8.2f}"


HEAD = f"{'count':>6} {'median':>8} {'99 %':>8} {'worst':>8}"
