"""Many histories on all processors, and what they add up to."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, as_completed, wait
from itertools import islice
from pathlib import Path

from proof.database import Database, scratch_folder, set_up_django
from proof.results import Result, Sum

CHUNK = 8

_database: Database | None = None


def many(
    seeds: Iterable[int], seconds: float, processes: int, plant: str | None = None, found_by: tuple[str, ...] = ()
) -> Sum:
    """Run seeds until they or the seconds are over, or the planted bug is found: by a violation that begins so."""
    total, folder, began = Sum(), scratch_folder(), time.monotonic()
    try:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin, (os.fspath(folder),)) as pool:
            for result in _results(pool, _chunks(seeds), began + seconds, processes, plant):
                total.add(result)
                if found := next((one for one in result.violations if found_by and one.startswith(found_by)), None):
                    total.found[result.seed] = found
                    break
            pool.shutdown(cancel_futures=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    total.seconds = time.monotonic() - began
    return total


def _results(
    pool: ProcessPoolExecutor, chunks: Iterator[list[int]], until_s: float, processes: int, plant: str | None
) -> Iterator[Result]:
    """Results as they come; only as much is handed out as is being worked at."""
    open_: set[Future[list[Result]]] = set()
    while True:
        while len(open_) < processes * 2 and time.monotonic() < until_s and (chunk := next(chunks, None)):
            open_.add(pool.submit(_chunk, chunk, plant))
        if not open_:
            return
        done, open_ = wait(open_, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()


def _chunks(seeds: Iterable[int]) -> Iterator[list[int]]:
    left = iter(seeds)
    while chunk := list(islice(left, CHUNK)):
        yield chunk


def _begin(folder: str) -> None:
    global _database
    set_up_django()
    from proof.world import raise_fleet

    _database = Database(Path(folder) / str(os.getpid()))
    _database.__enter__()
    raise_fleet(_database)


def _chunk(seeds: list[int], plant: str | None) -> list[Result]:
    from proof.history import run_seed
    from proof.planted import planted

    assert _database is not None
    with planted(plant):
        return [run_seed(seed, _database) for seed in seeds]


def bugs() -> dict[str, tuple[str, ...]]:
    """The planted bugs, and how a violation begins that tells of each."""
    set_up_django()
    from proof.planted import PLANTED

    return {name: bug.signs for name, bug in PLANTED.items()}


def crashes(every: int, processes: int, say: Callable[[str], None]) -> dict[str, list[str]]:
    """Every crash with what it left violated; one process for each way in which the exchange behaves."""
    set_up_django()
    from proof.crashes import cases

    folder, found = scratch_folder(), dict[str, list[str]]()
    try:
        with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn"), _begin, (os.fspath(folder),)) as pool:
            swept = {pool.submit(_sweep, meets, purpose, every): (meets, purpose) for meets, purpose in cases()}
            for future in as_completed(swept):
                moments, violated = future.result()
                meets, purpose = swept[future]
                say(f"{meets or 'all goes well':28} {purpose:6} {moments:4} crashes, {len(violated)} violated")
                for case, what in violated.items():
                    say(f"VIOLATED: {case}: {'; '.join(what[:3])}")
                found |= violated
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _sweep(meets: str, purpose: str, every: int) -> tuple[int, dict[str, list[str]]]:
    from proof.crashes import sweep

    assert _database is not None
    return sweep(_database, meets, purpose, every)


def one(seed: int, plant: str | None = None) -> Result:
    """One history in this process, with its log."""
    set_up_django()
    from proof.history import run_seed
    from proof.planted import planted
    from proof.world import raise_fleet

    with Database() as database, planted(plant):
        raise_fleet(database)
        return run_seed(seed, database, watched=True)
