"""When which bot was let enter nothing, as somebody beside the platform would note it."""

from collections.abc import Iterable, Sequence

from bots.models import Bot, BotStatus
from market.clock import Now
from proof.journal import name_of
from risk.halts import open_halts
from simexchange.orders.order import Order

IN_FLIGHT_MS = 60_000
"""How long after its last moment of leave an entry may still arrive: its client's timeout, and a late acceptance."""

FOR_EVER = 2**62

Span = tuple[int, int, int]


class Forbidden:
    """Spans of wall milliseconds, by bot. ``look`` after every act, before time passes."""

    def __init__(self, bots: Sequence[int]) -> None:
        self._since: dict[int, int] = {}
        self._spans: list[Span] = []
        self._bots = bots

    def look(self, now_ms: int, triggered: bool, account: int) -> None:
        """What forbids each bot's entries now. Market time is wall time here."""
        now = Now(now_ms, now_ms)
        status = dict(Bot.objects.values_list("pk", "status"))
        for bot in self._bots:
            if triggered or status[bot] != BotStatus.RUNNING or open_halts(account, bot, now):
                self._since.setdefault(bot, now_ms)
            elif bot in self._since:
                self._spans.append((bot, self._since.pop(bot), now_ms))

    def spans(self) -> list[Span]:
        """All of them (bot, from, until); one that goes on has no end."""
        return [*self._spans, *((bot, since, FOR_EVER) for bot, since in self._since.items())]

    def broken_by(self, orders: Iterable[Order]) -> list[str]:
        """Entries that the exchange received well within such a span."""
        return [
            f"I-6 {order.client_order_id} arrived at {order.time_ms}, its bot may not enter since {begun}"
            for order in orders
            if (name := name_of(order.client_order_id)) is not None and name.kind == "e"
            for bot, begun, until in self.spans()
            if name.position.startswith(f"{bot}-") and begun + IN_FLIGHT_MS < order.time_ms < until
        ]
