"""``python -m proof``: histories, planted bugs, crashes and races; ``--seed N`` for one history, step by step.

The exit status is 1 when something was violated, or a planted bug was not found.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
from collections.abc import Iterator
from itertools import chain, count

from proof.races import bugs as race_bugs
from proof.races import races, summary
from proof.results import Sum
from proof.runs import bugs, crashes, many, one
from tests.postgres_server import NoPostgres, postgres

FIXED = 200
"""Seeds that are always run; those after them are drawn anew each time."""

FEW_RACES = 6
"""As many find a planted bug."""


def main(arguments: list[str]) -> int:
    options = _options(arguments)
    if options.seed is not None:
        return _one(options.seed, options.plant)
    failed = [_TIERS[tier](options) for tier in options.tiers or _TIERS]
    return int(any(failed))


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m proof", description=__doc__)
    parser.add_argument("tiers", nargs="*", metavar="TIER", help=f"of {', '.join(_TIERS)}; all when none is named")
    parser.add_argument("--seed", type=int, help="run this one history and tell what happens in it")
    parser.add_argument("--plant", help="with this planted bug in the code")
    parser.add_argument("--seconds", type=float, default=840.0, help="how long histories are run for")
    parser.add_argument("--histories", type=int, default=1_000_000, help="at most so many")
    parser.add_argument("--every", type=int, default=1, help="crash at every n-th moment only")
    parser.add_argument(
        "--rounds", type=int, default=440, help="how many races on each database; one dies in every second"
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args(arguments)
    if unknown := [tier for tier in options.tiers if tier not in _TIERS]:
        parser.error(f"no tier {', '.join(unknown)}; there are {', '.join(_TIERS)}")
    return options


def _one(seed: int, plant: str | None) -> int:
    result = one(seed, plant)
    _say("\n".join(result.log))
    _say(f"\nseed {seed}: {len(result.violations)} violations")
    for violation in result.violations:
        _say(f"  {violation}")
    return int(bool(result.violations))


def _histories(options: argparse.Namespace) -> bool:
    """Whether any was violated."""
    total = many(_seeds(options.histories), options.seconds, options.processes, options.plant)
    _say(_table(total))
    for seed, found in total.violated.items():
        _say(f"VIOLATED by seed {seed} (python -m proof --seed {seed}): {'; '.join(found[:3])}")
    each = total.seconds / max(total.histories, 1) * 1000
    _say(
        f"{total.histories} histories, {total.orders} orders, {len(total.violated)} violated, {total.seconds:.0f} s,"
        f" {each:.0f} ms each on {options.processes} processes"
    )
    return bool(total.violated)


def _planted(options: argparse.Namespace) -> bool:
    """Whether any planted bug was not found."""
    missed = False
    for name, found_by in bugs().items():
        total = many(range(400), options.seconds / 4, options.processes, name, found_by)
        seed, found = next(iter(total.found.items()), (None, ""))
        what = f"found by seed {seed}: {found}" if found else "NOT FOUND"
        _say(f"{name:36} {total.histories:4} histories  {what}")
        missed = missed or not found
    return missed


def _crashes(options: argparse.Namespace) -> bool:
    """Whether a process that was killed left something behind that could not be put right."""
    return any(crashes(options.every, options.processes, _say).values())


def _races(options: argparse.Namespace) -> bool:
    """Whether a cap was exceeded, or something else violated, on SQLite or on PostgreSQL where that is installed; or a
    planted bug was not found."""
    violated = _races_on("SQLite", "", options.rounds)
    try:
        with postgres() as url:
            return _races_on("PostgreSQL", url, options.rounds) or violated
    except NoPostgres as reason:
        _say(f"PostgreSQL: NOT RUN, {reason}")
    return violated


def _races_on(name: str, url: str, rounds: int) -> bool:
    done = races(rounds, url, _say)
    _say(f"{name}: {summary(done)}")
    missed = False
    for bug in race_bugs(url):
        wrong = [wrong for raced in races(FEW_RACES, url, lambda _: None, bug) for wrong in raced.wrong]
        _say(f"{name}: {bug:40} {f'found: {wrong[0]}' if wrong else 'NOT FOUND'}")
        missed = missed or not wrong
    return missed or any(raced.wrong for raced in done)


_TIERS = {"histories": _histories, "planted": _planted, "crashes": _crashes, "race": _races}


def _seeds(most: int) -> Iterator[int]:
    """The fixed ones, then others."""
    drawn = random.SystemRandom().randrange(10**6, 10**9)
    for number, seed in enumerate(chain(range(FIXED), count(drawn))):
        if number == most:
            return
        yield seed


def _table(total: Sum) -> str:
    lines = [f"{'what went wrong':40} {'at':18} {'histories':>9} {'violated':>9}"]
    for (what, moment), histories in sorted(total.rows.items()):
        lines.append(f"{what:40} {moment:18} {histories:9} {total.violated_rows[what, moment]:9}")
    return "\n".join(lines)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
