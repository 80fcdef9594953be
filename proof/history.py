"""One history: a seed draws who acts when, what goes wrong and who dies; then all goes well, and all must hold."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection

from execution import chores, crash_points
from execution.crash_points import CRASH_POINTS
from proof.actors import PAIRS, Actors
from proof.clock import VirtualClock
from proof.database import Database
from proof.faults import KINDS
from proof.invariants import ALWAYS, AT_REST, Evidence, violations
from proof.results import Result
from proof.venue import Turn
from proof.world import SLOT_MS, START_MS, world

ROUNDS = 30
"""How many rounds of the reconciler, five seconds apart and more, the platform gets to come to rest."""

LONGEST_MS = 90_000
"""After so long whoever ticks is killed, as Celery does."""

_QUIET = 1
_DIES = 0.15
_NESTED = 0.06
_UNTIMELY = 0.1  # that entries are stopped while one is about to leave
_UNSEEN = 0.1  # that nobody has valued what is held when a bot ticks
_FAULTS_WITHIN_MS = 20 * 60_000


_WHOLE_ACTS = ("symbol halted", "lot step changed", "trade by hand", "close", "limit tightened")


class Died(BaseException):
    """The process that acted is gone: nothing of it runs on, and its lease stays."""


class History:
    """Runs one seed. ``watched`` checks what must always hold after every act, and keeps a log: slower."""

    def __init__(self, seed: int, database: Database, watched: bool = False) -> None:
        self.seed, self._database, self._watched = seed, database, watched
        self._log: list[str] = []
        self._rows: Counter[tuple[str, str]] = Counter()
        self._found: list[str] = []
        self._by_hand = False
        self._calm = True
        self._acting: list[_Act] = []

    def run(self) -> Result:
        """Raises what the proof itself does wrong; what the platform does wrong is a violation."""
        self._database.reset()
        random.seed(self.seed)  # what jitters in the platform
        with VirtualClock(START_MS) as self._clock, world(self.seed, self._clock) as self._world:
            self._random = self._world.random
            self._actors = Actors(self._world)
            self._world.script.around = self._around
            crash_points.on_reached = lambda name: self._moment(name, name)
            try:
                with connection.execute_wrapper(self._database_of_the_dead):
                    self._go_wrong()
                    self._come_to_rest()
            finally:
                crash_points.on_reached = None
            orders = len(self._world.venue.orders())
        return Result(self.seed, self._found, self._rows + self._world.script.struck, self._log, orders)

    def _go_wrong(self) -> None:
        for _ in range(self._random.randint(1, 3)):  # something may be held before trouble begins
            self._act(self._acts()["guard"])
            self._act(self._acts()["tick"])
        begin_ms = self._clock.now_ms
        kinds = self._random.choices(KINDS, k=self._random.randint(3, 6))
        plan = [(kind, begin_ms + self._random.randint(0, _FAULTS_WITHIN_MS)) for kind in kinds]
        self._world.script.plan(sorted(plan, key=lambda planned: planned[1]))
        self._by_hand, self._calm = self._random.random() < 0.05, False
        for _ in range(self._random.randint(8, 15)):
            act = self._draw()
            if act.name == "tick" and self._random.random() >= _UNSEEN:
                self._act(self._acts()["guard"])
            self._act(act)

    def _draw(self) -> _Act:
        acts = list(self._acts().values())
        return self._random.choices(acts, [act.weight for act in acts])[0]

    def _acts(self) -> dict[str, _Act]:
        a = self._actors
        nested = bool(self._acting)
        found = (
            _Act("tick", 24 if a.due() else 0, a.tick, a.start_worker),
            _Act("reconciler", 8, a.reconcile, a.start_reconciler, LONGEST_MS * 10),
            _Act("close", 2, a.close),
            _Act("guard", 2, a.look_at_prices, a.start_guard),
            _Act("stop or go", 4 if nested else 2, a.stop_or_lift),
            _Act("limit tightened", 1, a.tighten),
            _Act("symbol halted", 1, a.halt_or_open),
            _Act("lot step changed", 1, a.change_rules),
            _Act("trade by hand", int(self._by_hand), a.trade_by_hand),
            # A request that is under way takes no minutes.
            _Act("time", 0 if nested else 5, self._let_time_pass),
            _Act("slot", 0 if nested else 5, self._next_slot),
        )
        return {act.name: act for act in found}

    def _let_time_pass(self) -> None:
        least, most = self._random.choice(((1, 4), (5, 40), (60, 200)))
        self._clock.advance(self._random.randint(least, most) * 1000)

    def _next_slot(self) -> None:
        left_ms = SLOT_MS - self._clock.now_ms % SLOT_MS
        self._clock.advance(left_ms + self._random.randint(1, 20) * 1000)
        if self._random.random() < 0.9:  # it has compared the books every minute
            self._act(self._acts()["reconciler"])

    def _come_to_rest(self) -> None:
        """Nothing goes wrong any more, leases run out, and the reconciler has its rounds."""
        self._calm = True
        self._world.script.stop()
        for symbol in PAIRS:
            self._world.venue.ask("POST", "/sim/symbols", symbol=symbol, status="TRADING")
        self._clock.advance(130_000)
        self._rounds()
        self._clock.advance(70_000)
        self._rounds()  # the books are compared again by now; what was found out then is carried on
        self._judge(AT_REST)

    def _rounds(self) -> None:
        """Rounds of the reconciler until it has nothing to do, or has had enough of them."""
        quiet = 0
        for _ in range(ROUNDS):
            self._act(self._acts()["reconciler"])
            quiet = 0 if chores.unsettled() or chores.unprotected() else quiet + 1
            if quiet == _QUIET:
                return
            self._clock.advance(self._random.randint(5, 15) * 1000)

    def _act(self, act: _Act) -> None:
        """Let one process act, perhaps to its death."""
        act.began_ms = self._clock.now_ms
        if not self._calm and not self._acting and act.again is not None and self._random.random() < _DIES:
            act.moments_left = self._random.randint(1, 4)
            act.at_crash_points = self._random.random() < 0.7
        self._say(act.name + (" (will die)" if act.moments_left else ""))
        self._acting.append(act)
        try:
            act.do()
        except Died:
            self._say(f"{act.name} died")
        finally:
            self._acting.pop()
        if act.dead and act.again is not None:
            act.again()
        if act.name in _WHOLE_ACTS:
            self._rows[act.name, "any"] += 1
        if act.name == "stop or go":
            self._rows[f"entries stopped: {self._actors.stopped_by}", "any"] += 1
        if self._watched and not self._acting:
            self._judge(ALWAYS)

    def _around(self, turn: Turn, back: bool) -> None:
        """Before a request leaves and after its answer came: moments at which a process may die, or others act."""
        if connection.in_atomic_block:
            self._found.append(f"{turn.name} was sent inside a transaction")
        row = "after a request" if back else "before a request"
        self._moment(f"{turn.name} {turn.params.get('newClientOrderId', '')} {'back' if back else 'leaves'}", row)

    def _moment(self, what: str, row: str) -> None:
        if not self._acting:
            return
        act = self._acting[-1]
        if act.dead:
            raise Died
        self._say(f"  {what}")
        act.moments_left -= what in CRASH_POINTS or not act.at_crash_points
        overdue = self._clock.now_ms - act.began_ms > act.longest_ms
        if act.again is not None and (act.moments_left == 0 or (overdue and not self._calm)):
            self._rows["process killed", row] += 1
            act.dead = True
            raise Died
        others_may = not self._calm and len(self._acting) == 1 and not connection.in_atomic_block
        untimely = (
            self._acts()["stop or go"] if what == "entry_intended" and self._random.random() < _UNTIMELY else None
        )
        if others_may and (untimely or self._random.random() < _NESTED):
            other = untimely or self._draw()
            self._rows[f"meanwhile: {other.name}", row] += 1
            self._act(other)

    def _database_of_the_dead(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if self._acting and self._acting[-1].dead and not sql.startswith("ROLLBACK"):
            raise Died
        return execute(sql, *rest)

    def _judge(self, invariants: tuple[Any, ...]) -> None:
        self._actors.look(self._world.now())
        evidence = Evidence(
            self._world.account,
            self._world.venue,
            self._by_hand,
            self._actors.notes,
            self._actors.forbidden.spans(),
            self._actors.tightened_ms,
        )
        for violation in violations(evidence, invariants):
            if violation not in self._found:
                self._found.append(violation)
                self._say(f"!! {violation}")

    def _say(self, text: str) -> None:
        if self._watched:
            self._log.append(f"{(self._clock.now_ms - START_MS) / 1000:9.3f} {'    ' * len(self._acting)}{text}")


@dataclass
class _Act:
    """Something that one process does. ``again`` starts a new process after its death; who has none does not die.

    ``moments_left``: it dies at the moment that makes it 0, if it does not end before; requests count as moments too,
    unless it is to die ``at_crash_points``.
    """

    name: str
    weight: float
    do: Callable[[], None]
    again: Callable[[], None] | None = None
    longest_ms: int = LONGEST_MS
    moments_left: int = 0
    at_crash_points: bool = False
    began_ms: int = 0
    dead: bool = False


def run_seed(seed: int, database: Database, watched: bool = False) -> Result:
    """One history from its seed."""
    return History(seed, database, watched).run()
