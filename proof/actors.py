"""Who acts in a history. Each act is what a process of the platform does, by the platform's own code; what a strategy,
a person or the market would choose is drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from django.db.models import Q

from bots.models import Bot
from execution.models import Position
from execution.record import LostRace
from execution.states import PositionStatus
from execution.submit import Exit, decide_exit
from market.clock import Now
from market.exchange import ExchangeError
from proof.forbidden import Forbidden
from proof.stops import Stops
from proof.world import SLOT_MS, World
from risk.exits import ExitReason
from simexchange.errors.api_error import ApiError
from tradingplatform import tick
from tradingplatform.guard import Guard
from tradingplatform.reconciler import Reconciler
from tradingplatform.wiring import Platform

PAIRS = ("BTCUSDT", "ETHUSDT")


class AtOnce:
    """Hands that do what they are given before they take the next."""

    def submit(self, act: Callable[..., object], *arguments: object) -> Future[object]:
        done: Future[object] = Future()
        done.set_result(act(*arguments))
        return done


class OneHand(Reconciler):
    """The reconciler in this thread. What it would log as a failure is a finding, unless the exchange is away."""

    def __init__(self, platform: Platform, notes: list[str]) -> None:
        super().__init__(lambda: platform)
        self._hands.shutdown()
        self._stop_hands.shutdown()
        self._look_hand.shutdown()
        self._hands: Any = AtOnce()
        self._stop_hands: Any = self._hands
        self._look_hand: Any = self._hands
        self._notes = notes

    def _survive(self, name: str, act: Callable[[], object]) -> None:
        with _noting(name, self._notes):
            act()


class _noting:
    """Races and silence belong to a day's work; any other error is a finding. Nothing is raised but death."""

    def __init__(self, who: str, notes: list[str]) -> None:
        self._who, self._notes = who, notes

    def __enter__(self) -> None:
        """Nothing is prepared."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: object) -> bool:
        if error is None or not isinstance(error, Exception):
            return False
        if not isinstance(error, LostRace | ExchangeError):
            self._notes.append(f"{self._who} failed: {type(error).__name__}: {error}")
        return True


class Actors:
    """The acts of one history. ``notes`` are errors that nobody expects."""

    def __init__(self, world: World) -> None:
        self.world, self.random = world, world.random
        self.notes: list[str] = []
        self.forbidden = Forbidden(world.account.pk, world.bots())
        self.stops = Stops(world.account, world.random)
        self.stopped_by = ""
        self.tightened_ms: int | None = None
        self.start_worker()
        self.start_guard()
        self._reconciler = OneHand(world.platform(), self.notes)

    def start_worker(self) -> None:
        """A process that ticks."""
        self._worker = self.world.platform()

    def start_guard(self) -> None:
        """A process that values what is held. It has to see a price twice before it believes it."""
        self._guard = Guard(self.world.platform())

    def start_reconciler(self) -> None:
        """A new one, which lets nothing enter before it has compared the books."""
        self._reconciler = OneHand(self.world.platform(), self.notes)
        self._reconciler.begin()

    def tick(self) -> None:
        """The tick of a bot, if its slot is due."""
        due = self.due()
        if due:
            tick.run(self._worker, self.random.choice(due), self.world.now())

    def due(self) -> list[int]:
        """The bots whose current slot was not ticked yet, or is to be ticked again, and that nobody is ticking."""
        now = self.world.now()
        free = Q(lease_until__isnull=True) | Q(lease_until__lt=now.wall_at)
        slot = now.market_ms // SLOT_MS
        return list(Bot.objects.filter(free, last_slot__lt=slot).order_by("pk").values_list("pk", flat=True))

    def reconcile(self) -> None:
        """A round of the reconciler."""
        self._reconciler.round()

    def close(self) -> None:
        """A person closes a position: the decision is committed, the reconciler carries it out."""
        position = Position.objects.filter(status=PositionStatus.OPEN).order_by("pk").last()
        if position is not None:
            wish = Exit(ExitReason.OPERATOR, "closed by hand", position.mark_price or position.stop_price)
            with _noting("operator", self.notes):
                decide_exit(position, wish, None, self.world.now())

    def look_at_prices(self) -> None:
        """Two looks of the guard: what is held is valued, breakers are measured."""
        for _ in range(2):
            with _noting("guard", self.notes):
                self._guard.prices(self.world.now())
            self.world.clock.advance(500)

    def stop_or_lift(self) -> None:
        """Something stops the entries of a bot or of all, or a person lets all go on."""
        now, lifting = self.world.now(), self.forbidden.anything
        if lifting:
            self.stops.lift(now)
        else:
            self.stopped_by = self.stops.stop(now)
        self.look(now, lifting)
        if lifting or self.stopped_by != "silence":  # an act of a person would be the first to see that it triggered
            self.stops.try_in_vain(now)
        self.look(now)
        self.world.clock.advance(1)  # what comes after it is later

    def tighten(self) -> None:
        """A limit becomes so small that most entries are refused from now on."""
        if self.tightened_ms is None:
            self.stops.tighten(self.world.now())
            self.tightened_ms = self.world.now().wall_ms
            self.world.clock.advance(1)

    def look(self, now: Now, lifting: bool = False) -> None:
        """Note what forbids entries now."""
        self.notes += self.forbidden.look(now.wall_at, lifting)

    def trade_by_hand(self) -> None:
        """Somebody buys on the same account, past the platform."""
        with suppress(ApiError):  # the symbol may be halted
            symbol = self.random.choice(PAIRS)
            self.world.venue.ask("POST", "order", symbol=symbol, side="BUY", type="MARKET", quoteOrderQty="50")

    def halt_or_open(self) -> None:
        """The exchange halts a symbol, or lets it trade again."""
        symbol = self.random.choice(PAIRS)
        halted = self.world.venue.exchange.market.changes.halted(symbol)
        self.world.venue.ask("POST", "/sim/symbols", symbol=symbol, status="TRADING" if halted else "BREAK")

    def change_rules(self) -> None:
        """The exchange changes a symbol's lot step."""
        symbol, step = self.random.choice((("BTCUSDT", "0.0001"), ("ETHUSDT", "0.001"), ("BTCUSDT", "0.00002")))
        self.world.venue.ask("POST", "/sim/symbols", symbol=symbol, stepSize=step)

    def _bot_id(self) -> int:
        return self.random.choice(self.world.bots())
