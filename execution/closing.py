"""What a halt that closes (``Halt.closes``) still has to sell. Rows in, values out; nothing here acts.

It is asked anew every second and remembers nothing, so a restart changes nothing, and what opens later (an entry that
was past the gate when the halt was raised) is found as well.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Q, QuerySet

from execution.chores import Chore
from execution.drive import is_pausing
from execution.models import Position, Purpose
from execution.states import LIVE_POSITION, PositionStatus
from market.clock import Now
from risk.halts import in_force
from risk.models import Halt


@dataclass(frozen=True, slots=True)
class Closing:
    """An OPEN position that is to be sold: why, in words, and the price it is decided at."""

    chore: Chore
    text: str
    price: Decimal


def closing_halts(now: Now) -> list[Halt]:
    """The halts in force that sell what is held."""
    return list(in_force(now).filter(closes=True).select_related("account", "bot"))


def held_in(halt: Halt) -> QuerySet[Position]:
    """What is held, or may be soon, in a halt's scope."""
    live = Position.objects.filter(status__in=list(LIVE_POSITION))
    if halt.bot_id is not None:
        return live.filter(bot_id=halt.bot_id)
    return live if halt.account_id is None else live.filter(account_id=halt.account_id)


def next_to_close(halts: Iterable[Halt], now: Now) -> list[Closing]:
    """The next position of each account, the one with the largest exposure first.

    Left out is what cannot be decided now: somebody is at its bot, or its last exit failed a moment ago. It must not
    keep the others waiting.
    """
    chosen: dict[int, Closing] = {}
    for halt in halts:
        for position in _largest_first(halt, now):
            if position.account_id not in chosen and not is_pausing(position, Purpose.EXIT, now):
                chosen[position.account_id] = _closing(position, halt)
    return list(chosen.values())


def is_to_close(position_id: int, now: Now) -> bool:
    """Whether a halt that closes is still in force for a position: it may have been lifted since it was chosen."""
    return any(held_in(halt).filter(pk=position_id).exists() for halt in closing_halts(now))


def _largest_first(halt: Halt, now: Now) -> Iterator[Position]:
    free = Q(bot__lease_until=None) | Q(bot__lease_until__lt=now.wall_at)
    rows = held_in(halt).filter(free, status=PositionStatus.OPEN).select_related("bot")
    yield from sorted(rows, key=lambda position: (-position.exposure, position.pk))


def _closing(position: Position, halt: Halt) -> Closing:
    chore = Chore(position.pk, position.bot_id, position.account_id, position.symbol, position.bot.name)
    return Closing(chore, f"sold by a halt of {halt.scope}: {halt.text}", position.mark_price or position.stop_price)
