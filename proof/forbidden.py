"""When which bot was let enter nothing, as somebody beside the platform would note it from the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bots.models import Bot, BotStatus
from execution.models import Order, Purpose
from market.clock import ms_of
from proof.journal import name_of
from risk.models import DeadMansSwitch, Halt
from simexchange.orders.order import Order as VenueOrder

IN_FLIGHT_MS = 60_000
"""How long after its last moment of leave an entry may still arrive: its client's timeout, and a late acceptance."""

FOR_EVER = 2**62

Span = tuple[int, int, int]
"""A bot, and from when until when (wall milliseconds) it might enter nothing."""


class Forbidden:
    """``look`` after every act that may forbid or lift something, before time passes. A halt that ends by itself is
    left out: nobody is there to note when it does."""

    def __init__(self, account_id: int, bots: Sequence[int]) -> None:
        self._account_id, self._bots = account_id, bots
        self._since: dict[int, int] = {}
        self._over: list[Span] = []
        self._had: frozenset[str] = frozenset()

    def look(self, at: datetime, lifting: bool = False) -> list[str]:
        """Note what forbids each bot's entries now. What is not there any more, though nobody is ``lifting``, is a
        violation."""
        now_ms, has = ms_of(at), {bot: frozenset(self._of(bot, at)) for bot in self._bots}
        for bot, reasons in has.items():
            if reasons:
                self._since.setdefault(bot, now_ms)
            elif bot in self._since:
                self._over.append((bot, self._since.pop(bot), now_ms))
        everything = frozenset().union(*has.values())
        lost, self._had = self._had - everything, everything
        return [] if lifting else [f"I-7 {reason} was lifted by nobody" for reason in sorted(lost)]

    @property
    def anything(self) -> bool:
        """Whether something was in force at the last look."""
        return bool(self._had)

    def spans(self) -> list[Span]:
        """All of them; one that goes on has no end."""
        return [*self._over, *((bot, since, FOR_EVER) for bot, since in self._since.items())]

    def _of(self, bot: int, at: datetime) -> Iterator[str]:
        switch = DeadMansSwitch.objects.filter(pk=DeadMansSwitch.SINGLETON).first()
        if switch is None or switch.latched_at or (at - switch.last_checkin_at).total_seconds() >= switch.timeout_s:
            yield "the dead man's switch"
        status = Bot.objects.values_list("status", flat=True).get(pk=bot)
        if status != BotStatus.RUNNING:
            yield f"that bot {bot} does not run"
        for halt in Halt.objects.filter(cleared_at=None, until=None):
            if (
                halt.account_id is None
                or halt.bot_id == bot
                or (halt.bot_id, halt.account_id) == (None, self._account_id)
            ):
                yield f"halt {halt.pk}"


def let_go_while_forbidden(spans: Iterable[Span], orders: Iterable[Order]) -> list[str]:
    """Entries that were marked as sent within such a span."""
    return [
        f"I-6 {order.client_order_id} was let go at {ms_of(order.sent_at)}, its bot might not enter from {begun}"
        for order in orders
        if order.purpose == Purpose.ENTRY and order.sent_at is not None
        for bot, begun, until in spans
        if bot == order.bot_id and begun < ms_of(order.sent_at) < until
    ]


def arrived_while_forbidden(spans: Iterable[Span], orders: Iterable[VenueOrder]) -> list[str]:
    """Entries that the exchange received when what had been on its way before the span could not arrive any more."""
    return [
        f"I-6 {order.client_order_id} arrived at {order.time_ms}, its bot might not enter from {begun}"
        for order in orders
        if (name := name_of(order.client_order_id)) is not None and name.kind == "e"
        for bot, begun, until in spans
        if name.position.startswith(f"{bot}-") and begun + IN_FLIGHT_MS < order.time_ms < until
    ]
