"""Every moment of a position's life at which a process may be killed, each tried with a real one.

A forked process takes a position from its entry to its end and kills itself at the n-th moment; nothing of it is left
but the database and the exchange's ledger, both on disk. Another process finds them and recovers, is killed in the
middle of that too, and a third one brings everything to rest. Moments are the crash points and both sides of every
request. All of it is done again for every way in which the exchange may treat the order that is under way.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import RawValue
from pathlib import Path

import requests
from django.db import connection

from bots.models import Bot
from bots.strategies.base import Action, Signal
from execution import chores, crash_points
from market.candles import Candles
from proof.actors import Actors, OneHand
from proof.clock import VirtualClock
from proof.database import Database, scratch_folder
from proof.faults import BY_NAME, Strike, kind_of, moment_of, reaches
from proof.invariants import Evidence, violations
from proof.venue import Turn
from proof.world import SLOT_MS, START_MS, World, wish, world
from tradingplatform import tick

SEED = 7
_ROUNDS = 40

_ORDER_MEETS = ("timeout, executed", "timeout, not executed", "accepted 4 s late, reset")
_CANCEL_MEETS = ("cancel: timeout, executed", "cancel: timeout, not executed")


@dataclass(frozen=True)
class Case:
    """What the exchange does, to which order (entry, stop, exit or the stop's cancel), and when the process dies."""

    meets: str
    purpose: str
    moment: int

    def __str__(self) -> str:
        return f"{self.meets or 'all goes well'} ({self.purpose or 'any order'}), killed at moment {self.moment}"


def cases() -> Iterator[tuple[str, str]]:
    """What the exchange does to what."""
    yield "", ""
    for purpose in ("entry", "stop", "exit"):
        yield from ((meets, purpose) for meets in _ORDER_MEETS)
    yield from ((meets, "stop") for meets in _CANCEL_MEETS)


def sweep(database: Database, meets: str, purpose: str, every: int = 1) -> tuple[int, dict[str, list[str]]]:
    """How many moments were died at, and what was violated after which; every ``every``-th moment only."""
    moments = range(1, _count(database, meets, purpose) + 1, every)
    tried = {str(case): _try(database, case) for case in (Case(meets, purpose, moment) for moment in moments)}
    return len(moments), {case: violated for case, violated in tried.items() if violated}


class Planned:
    """A strategy that enters, then leaves."""

    longest_period = 1

    def evaluate(self, candles: Candles) -> Signal:
        first = int(candles.last_opened_ms or 0) < START_MS - SLOT_MS
        return wish(Action.ENTER if first else Action.EXIT, candles, 0.9)


class Scene:
    """One crash on one disk: ``folder`` has the exchange's ledger and what it will accept late; ``now`` is shared."""

    def __init__(self, folder: Path, case: Case) -> None:
        self.folder, self.case = folder, case
        self.now_ms = RawValue("q", START_MS)
        self._moments = 0
        self._struck = False

    def live(self) -> None:
        """From entry to exit, by ticks and the reconciler; dies on the way."""
        with self._world() as made:
            platform, actors = made.platform(), Actors(made)
            bot = Bot.objects.order_by("pk")[0].pk
            tick.run(platform, bot, made.now())
            made.clock.advance(3_000)
            actors.reconcile()
            made.clock.advance(SLOT_MS - made.clock.now_ms % SLOT_MS + 2_000)
            actors.reconcile()
            tick.run(platform, bot, made.now())
            for _ in range(14):
                made.clock.advance(10_000)
                actors.reconcile()

    def recover(self) -> list[str]:
        """Bring everything to rest; what is violated then. Dies on the way in a process that is to."""
        with self._world() as made:
            made.clock.advance(5_000)
            notes: list[str] = []
            reconciler = OneHand(made.platform(), notes)
            reconciler.begin()
            for _ in range(_ROUNDS):
                reconciler.round()
                made.clock.advance(7_000)
                if not (chores.unsettled() or chores.unprotected()):
                    break
            made.clock.advance(70_000)
            reconciler.round()
            return violations(Evidence(made.account, made.venue, notes=notes))

    @contextmanager
    def _world(self) -> Iterator[World]:
        random.seed(SEED)
        self._moments = 0
        with VirtualClock(self.now_ms.value) as clock, world(SEED, clock, self.folder, lambda _: Planned()) as made:
            made.venue.strike = lambda turn: self._strike(made, turn)
            crash_points.on_reached = lambda _: self._moment(made)
            self._plan_late(made)
            try:
                yield made
            finally:
                crash_points.on_reached = None

    def _moment(self, made: World) -> None:
        self._moments += 1
        self.now_ms.value = made.clock.now_ms
        if self._moments == self.case.moment:
            os.kill(os.getpid(), signal.SIGKILL)

    @property
    def moments(self) -> int:
        return self._moments

    def _strike(self, made: World, turn: Turn) -> requests.Response:
        self._moment(made)
        made.clock.advance(5)
        strike = self._meets(turn)
        try:
            answer = strike(turn) if strike else turn.serve()
        finally:
            made.clock.advance(5)
            self._moment(made)
        return answer

    def _meets(self, turn: Turn) -> Strike | None:
        kind = BY_NAME.get(self.case.meets)
        if kind is None or self._struck or not reaches(kind.on, kind_of(turn)) or moment_of(turn) != self.case.purpose:
            return None
        self._struck = True
        if kind.name.startswith("accepted"):
            self._keep_late(turn, turn.venue.clock.now_ms + 4_000)
        return kind.strike

    def _keep_late(self, turn: Turn, at_ms: int) -> None:
        """The exchange carries it out though the client's process is dead by then."""
        body = turn.request.body
        kept = {
            "at_ms": at_ms,
            "method": turn.request.method,
            "url": turn.request.url,
            "headers": {name: str(value) for name, value in turn.request.headers.items()},
            "body": body.decode() if isinstance(body, bytes) else body,
        }
        (self.folder / "late.json").write_text(json.dumps(kept))

    def _plan_late(self, made: World) -> None:
        path = self.folder / "late.json"
        if not path.exists():
            return
        kept = json.loads(path.read_text())
        request = requests.Request(kept["method"], kept["url"], kept["headers"], data=kept["body"]).prepare()
        symbol_orders = {order.client_order_id for order in made.venue.orders()}
        turn = Turn(made.venue, request, 15.0)
        if turn.params["newClientOrderId"] not in symbol_orders:
            made.clock.at(kept["at_ms"], lambda: turn.serve_as_of(kept["at_ms"] - 4_000))


def _count(database: Database, meets: str, purpose: str) -> int:
    """How many moments a life has, by living it once without a death."""
    with _scene(database, Case(meets, purpose, 0)) as scene:
        scene.live()
        return scene.moments


def _try(database: Database, case: Case) -> list[str]:
    with _scene(database, case) as scene:
        _in_a_process(scene.live)
        scene.case = Case(case.meets, case.purpose, 1 + case.moment * 7 % 23)
        _in_a_process(scene.recover)
        scene.case = Case(case.meets, case.purpose, 0)
        return scene.recover()


@contextmanager
def _scene(database: Database, case: Case) -> Iterator[Scene]:
    database.reset()
    folder = scratch_folder()
    try:
        yield Scene(folder, case)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _in_a_process(act: Callable[[], object]) -> None:
    """Do it in a process that may be killed on the way. Connections are not shared with it."""
    connection.close()
    child = os.fork()
    if child == 0:
        try:
            act()
        except BaseException:
            os._exit(2)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0:
        raise RuntimeError(f"the process that was to be killed failed by itself: {status}")
