"""A short version of ``make proof``: fixed seeds and a few new ones, every planted bug, some crashes."""

import random
from itertools import islice

import pytest

from proof.crashes import cases, sweep
from proof.history import run_seed
from proof.planted import PLANTED, planted

FIXED = {f"{first}-{first + 9}": range(first, first + 10) for first in range(0, 40, 10)}


def drawn() -> range:
    """Five that nobody has seen yet."""
    first = random.SystemRandom().randrange(10**6, 10**9)
    return range(first, first + 5)


@pytest.mark.parametrize("seeds", [*FIXED, "drawn"])
def test_everything_holds_after_every_history(database, seeds):
    results = [run_seed(seed, database) for seed in FIXED.get(seeds) or drawn()]
    violated = {result.seed: result.violations for result in results if result.violations}
    assert not violated, f"again with: python -m proof --seed {next(iter(violated))}"
    assert sum(result.orders for result in results) > len(results)


def test_a_seed_is_the_same_history_again(database):
    first, again = (run_seed(5, database, watched=True) for _ in range(2))
    assert (first.log, first.rows) == (again.log, again.rows)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(database, name):
    bug = PLANTED[name]
    with planted(name):
        found = (
            one.startswith(bug.signs) for seed in (bug.seed, *range(120)) for one in run_seed(seed, database).violations
        )
        assert any(found)


def test_a_bug_is_gone_when_it_is_taken_out(database):
    with planted("silence counts as a refusal"):
        pass
    assert not run_seed(2, database).violations


@pytest.mark.parametrize(("meets", "purpose"), list(islice(cases(), 0, None, 4)))
def test_killed_processes_leave_nothing_that_cannot_be_put_right(database, meets, purpose):
    crashes, violated = sweep(database, meets, purpose, every=9)
    assert crashes > 3
    assert not violated
