"""Planted bugs that need the whole way to the exchange to be seen. A halt that is looked at too early needs a rarer
moment than this machine comes to: the histories find it."""

import pytest
from hypothesis.stateful import run_state_machine_as_test

from proof.database import Database
from proof.planted import planted
from proof.world import raise_fleet
from tests.machines.running import LONG, SEARCH
from tests.machines.test_operator_and_venue import Platform

PLANTED = (
    "no answer counts as not found",
    "resend with the same id",
    "an exit beside its stop",
    "no stop is placed",
)

pytestmark = pytest.mark.skipif(not LONG, reason="takes long: HYPOTHESIS_PROFILE=proof runs it")


@pytest.fixture(scope="module")
def fleet(database: Database) -> Database:
    raise_fleet(database)
    return database


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str, fleet: Database) -> None:
    Platform.database = fleet
    with planted(name), pytest.raises((AssertionError, ValueError)):
        run_state_machine_as_test(Platform, settings=SEARCH)
