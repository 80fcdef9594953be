"""What histories come to. Without Django: whoever adds up needs none."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Result:
    """What came of a seed. ``rows``: (what went wrong, at which moment of an order's life), counted."""

    seed: int
    violations: list[str]
    rows: Counter[tuple[str, str]]
    log: list[str] = field(default_factory=list)
    orders: int = 0


@dataclass
class Sum:
    """What histories came to. ``rows``: (what went wrong, at which moment) -> (histories with it, violated ones)."""

    histories: int = 0
    orders: int = 0
    seconds: float = 0.0
    rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    violated_rows: Counter[tuple[str, str]] = field(default_factory=Counter)
    violated: dict[int, list[str]] = field(default_factory=dict)
    found: dict[int, str] = field(default_factory=dict)  # a planted bug, by seed

    def add(self, result: Result) -> None:
        self.histories += 1
        self.orders += result.orders
        self.rows.update(dict.fromkeys(result.rows, 1))
        if result.violations:
            self.violated[result.seed] = result.violations
            self.violated_rows.update(dict.fromkeys(result.rows, 1))


@dataclass
class Raced:
    """One race: what was wrong, how long the entering took (wall seconds), who died and how."""

    number: int
    wrong: list[str]
    seconds: float
    death: str = ""
    died: bool = False
    gave_up: int = 0  # entries that did not get the lock in all of its tries
