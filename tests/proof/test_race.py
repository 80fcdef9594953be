"""A few of the races of ``python -m proof race``, among them three in which a process is killed."""

import pytest

from proof.races import bugs, races
from proof.results import Raced
from tests.postgres_server import NoPostgres, postgres

ROUNDS = 6


def judge(done: list[Raced]) -> None:
    assert len(done) == ROUNDS
    assert not [(raced.number, raced.death, raced.wrong) for raced in done if raced.wrong]
    assert any(raced.died for raced in done)


def test_45_who_enter_at_once_take_the_room_for_three_on_sqlite():
    judge(races(ROUNDS, "", print))


def test_45_who_enter_at_once_take_the_room_for_three_on_postgresql():
    try:
        with postgres() as url:
            judge(races(ROUNDS, url, print))
    except NoPostgres as reason:
        pytest.skip(str(reason))


def test_bugs_at_the_gate_are_found():
    """Where PostgreSQL is, all of them; else those that SQLite can show."""
    try:
        with postgres() as url:
            missed = missed_on(url)
    except NoPostgres:
        missed = missed_on("")
    assert not missed


def missed_on(url: str) -> list[str]:
    return [bug for bug in bugs(url) if not any(raced.wrong for raced in races(2, url, lambda _: None, bug))]
