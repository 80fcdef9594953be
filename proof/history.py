"""One history: a seed draws who acts when, what goes wrong and who dies; then all goes well, and everything must hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from django.db import connection

from execution import crash_points
from proof.actors import LONGEST, Actors
from proof.clock import VirtualClock
from proof.database import Database
from proof.faults import KINDS, Script
from proof.invariants import ALWAYS, AT_REST, Evidence, violations
from proof.venue import Turn
from proof.world import START_MS, World, build

ROUNDS = 14
"""How many rounds of the reconciler the platform gets to come to rest."""

_DIES = 0.13
_NESTED = 0.10
_FAULTS_WITHIN_MS = 15 * 60_000


class Died(BaseException):
    """The process that acted is gone: nothing of it runs on, and its lease stays."""


@dataclass
class Result:
    """What came of a seed. ``rows``: (what went wrong, at which moment of an order's life), counted."""

    seed: int
    violations: list[str]
    rows: Counter[tuple[str, str]]
    log: list[str] = field(default_factory=list)


class History:
    """Runs one seed. ``watched`` checks what must always hold after every act, and keeps a log: slower."""

    def __init__(self, seed: int, database: Database, watched: bool = False) -> None:
        self.seed, self.database, self.watched = seed, database, watched
        self.random = Random(seed)
        self.log: list[str] = []
        self.rows: Counter[tuple[str, str]] = Counter()
        self.found: list[str] = []
        self._die_after: int | None = None
        self._dead = False
        self._depth = 0
        self.by_hand = False
        self._calm = False
        self._began_ms = 0

    def run(self) -> Result:
        self.database.reset()
        with VirtualClock(START_MS) as self.clock, connection.execute_wrapper(self._database_of_the_dead):
            self.world = build(self.seed, self.clock)
            self.actors = Actors(self.world, self.random)
            self.script.around = self._around
            crash_points.on_reached = self._crash_point
            try:
                self._go_wrong()
                self._come_to_rest()
            finally:
                crash_points.on_reached = None
                self.world.venue.close()
        return Result(self.seed, self.found, self.rows + self.script.struck, self.log)

    @property
    def script(self) -> Script:
        return self.world.script

    def _go_wrong(self) -> None:
        for _ in range(self.random.randint(1, 3)):  # something should be held before trouble begins
            self._act("tick", lambda: self.actors.tick(self._bot()))
        begin = self.clock.now_ms
        kinds = self.random.choices(KINDS, k=self.random.randint(3, 6))
        self.script.plan([(kind, begin + self.random.randint(0, _FAULTS_WITHIN_MS)) for kind in kinds])
        self.by_hand = self.random.random() < 0.05
        for _ in range(self.random.randint(12, 20)):
            self._next()

    def _next(self) -> None:
        acts = self._acts()
        if self._depth:
            del acts["time"]  # a request under way does not take minutes
        name = self.random.choices(list(acts), [weight for weight, _ in acts.values()])[0]
        self._act(name, acts[name][1])

    def _acts(self) -> dict[str, tuple[int, Callable[[], None]]]:
        actors = self.actors
        return {
            "tick": (9, lambda: actors.tick(self._bot())),
            "reconciler": (7, actors.see_to_all),
            "time": (9, self._let_time_pass),
            "reconciliation": (2, actors.reconcile),
            "close": (2, lambda: actors.close(self._bot())),
            "pause": (1, lambda: actors.pause_or_resume(self._bot())),
            "halt": (1, self._halt_or_open),
            "rules": (1, self._change_rules),
            "by hand": (int(self.by_hand), actors.trade_by_hand),
        }

    def _let_time_pass(self) -> None:
        least, most = self.random.choice(((1, 5), (5, 40), (60, 300), (600, 900)))
        self.clock.advance(self.random.randint(least, most) * 1000)

    def _halt_or_open(self) -> None:
        symbol = self.random.choice(("BTCUSDT", "ETHUSDT"))
        halted = self.world.venue.exchange.market.changes.halted(symbol)
        self.world.venue.ask("POST", "/sim/symbols", symbol=symbol, status="TRADING" if halted else "BREAK")
        self.rows["symbol halted", "any"] += not halted

    def _change_rules(self) -> None:
        symbol, step = self.random.choice((("BTCUSDT", "0.0001"), ("ETHUSDT", "0.001"), ("BTCUSDT", "0.00002")))
        self.world.venue.ask("POST", "/sim/symbols", symbol=symbol, stepSize=step)
        self.rows["lot step changed", "any"] += 1

    def _bot(self) -> Any:
        return self.random.choice(self.world.bots())

    def _come_to_rest(self) -> None:
        """Nothing goes wrong any more, leases run out, and the reconciler has its rounds."""
        self._calm = True
        self.script.stop()
        for symbol in ("BTCUSDT", "ETHUSDT"):
            self.world.venue.ask("POST", "/sim/symbols", symbol=symbol, status="TRADING")
        self.clock.advance(130_000)
        for _ in range(ROUNDS):
            self._act("last rounds", self.actors.see_to_all)
            self.clock.advance(self.random.randint(10, 40) * 1000)
        self._act("last comparison", self.actors.reconcile)
        self._judge(AT_REST)

    def _act(self, name: str, act: Callable[[], None]) -> None:
        """Let one process act, perhaps to its death."""
        dies = not self._calm and self._depth == 0 and self.random.random() < _DIES
        before = self._die_after, self._began_ms
        self._die_after, self._began_ms = (self.random.randint(1, 7) if dies else None), self.clock.now_ms
        self._say(f"{name}{' (will die)' if dies else ''}")
        try:
            act()
        except Died:
            self._dead = False
            self._say(f"{name} died")
            self.world.restart()
        finally:
            self._die_after, self._began_ms = before
        if self.watched and self._depth == 0:
            self._judge(ALWAYS)

    def _around(self, turn: Turn, back: bool) -> None:
        """Before a request leaves and after its answer came: moments at which a process may die, or others act."""
        if connection.in_atomic_block:
            self.found.append(f"{turn.name} was sent inside a transaction")
        self._moment(f"{turn.name} {'back' if back else 'leaves'}", "after a request" if back else "before a request")

    def _crash_point(self, name: str) -> None:
        self._moment(name, name)

    def _moment(self, what: str, row: str) -> None:
        if self._dead:
            raise Died
        self._say(f"  {what}")
        if self.clock.now_ms - self._began_ms > LONGEST.total_seconds() * 1000 and not self._calm:
            self._die(row)
        if self._die_after is not None:
            self._die_after -= 1
            if self._die_after <= 0:
                self._die(row)
        if self._may_nest() and self.random.random() < _NESTED:
            self._depth += 1
            try:
                self._next()
            finally:
                self._depth -= 1

    def _may_nest(self) -> bool:
        return self._depth == 0 and not self._calm and not connection.in_atomic_block

    def _die(self, row: str) -> None:
        self.rows["process killed", row] += 1
        self._dead = True
        raise Died

    def _database_of_the_dead(self, execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if self._dead and not sql.startswith("ROLLBACK"):
            raise Died
        return execute(sql, params, many, context)

    def _judge(self, invariants: tuple[Any, ...]) -> None:
        evidence = Evidence(self.world.account, self.world.venue, drifted=self.by_hand, notes=self.actors.notes)
        for violation in violations(evidence, invariants):
            if violation not in self.found:
                self.found.append(violation)
                self._say(f"!! {violation}")

    def _say(self, text: str) -> None:
        if self.watched:
            self.log.append(f"{(self.clock.now_ms - START_MS) / 1000:9.3f} {'    ' * self._depth}{text}")


def run_seed(seed: int, database: Database, watched: bool = False) -> Result:
    """One history from its seed."""
    return History(seed, database, watched).run()


