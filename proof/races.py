"""Races on either database, in a process of their own because of its settings, and what they add up to."""

from __future__ import annotations

import multiprocessing
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import median

from proof.database import Database, scratch_folder, set_up_django
from proof.results import Raced

SEED = 2
_CHUNK = 20

_database: Database | None = None


def races(rounds: int, database_url: str, say: Callable[[str], None], plant: str | None = None) -> list[Raced]:
    """So many rounds, on SQLite where ``database_url`` is empty. What was violated is said at once.

    ``plant``: with this planted bug in the code.
    """
    folder, context, done = scratch_folder(), multiprocessing.get_context("spawn"), list[Raced]()
    try:
        with ProcessPoolExecutor(1, context, _begin, (os.fspath(folder), database_url)) as pool:
            for numbers in _chunks(rounds):
                for raced in pool.submit(_race, numbers, os.fspath(folder), plant).result():
                    done.append(raced)
                    for wrong in raced.wrong:
                        say(f"VIOLATED in round {raced.number} ({raced.death or 'nobody dies'}): {wrong}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return done


def bugs(database_url: str) -> list[str]:
    """The planted bugs that can be found there."""
    set_up_django()
    from proof.planted_races import ONLY_ON_POSTGRESQL, PLANTED

    return [name for name in PLANTED if database_url or name not in ONLY_ON_POSTGRESQL]


def summary(done: list[Raced]) -> str:
    """All rounds in a sentence."""
    took = [raced.seconds for raced in done]
    return (
        f"{len(done)} rounds, in {sum(raced.died for raced in done)} of them a process was killed,"
        f" {sum(bool(raced.wrong) for raced in done)} violated; 45 entries took {median(took):.2f} s and at most"
        f" {max(took):.2f} s; {sum(raced.gave_up for raced in done)} did not get the lock"
    )


def _chunks(rounds: int) -> Iterator[range]:
    for first in range(0, rounds, _CHUNK):
        yield range(first, min(first + _CHUNK, rounds))


def _begin(folder: str, database_url: str) -> None:
    global _database
    os.environ["DATABASE_URL"] = database_url
    set_up_django()
    if database_url:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        call_command("flush", verbosity=0, interactive=False)  # it may have been raced on before
    else:
        _database = Database(Path(folder) / "races", synchronous=True)
        _database.__enter__()


def _race(numbers: range, folder: str, plant: str | None) -> list[Raced]:
    from proof.planted_races import planted
    from proof.race import race

    with planted(plant):
        return [race(number, Path(folder), SEED) for number in numbers]
