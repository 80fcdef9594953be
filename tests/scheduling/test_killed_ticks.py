"""A tick whose process was killed: its lease is freed, and its slot done again when it left nothing behind."""

import os
import subprocess
import sys

import pytest

from bots.lifecycle import claim_tick
from bots.models import Bot
from market.clock import Now
from market.slots import slot_start_ms
from risk.decisions import Grounds, write_decision
from risk.models import Outcome
from tests.factories import SLOT_0, make_bot
from tradingplatform.holder import is_gone, new_token
from tradingplatform.sweeper import free_leases_of_the_dead, read_bots

NOW = Now(slot_start_ms(SLOT_0, 900) + 1000, slot_start_ms(SLOT_0, 900) + 1000)
MAKE_TOKEN = "from tradingplatform.holder import new_token; print(new_token())"


@pytest.fixture(scope="module")
def dead_token() -> str:
    """The token of a process that has ended."""
    made = subprocess.run([sys.executable, "-c", MAKE_TOKEN], capture_output=True, text=True, check=True)
    return made.stdout.strip()


def test_a_token_tells_whether_its_process_lives(dead_token: str) -> None:
    mine = new_token()
    assert len(mine) <= 36
    assert not is_gone(mine)
    assert is_gone(dead_token)


@pytest.mark.parametrize("token", ["", "a-uuid4-from-somewhere", "0123abcd.1.1.ff"])
def test_of_others_nothing_is_known(token: str) -> None:
    assert not is_gone(token)


def test_a_process_id_that_is_used_again_is_another_process() -> None:
    machine, pid, started, salt = new_token().split(".")
    assert pid == str(os.getpid())
    assert is_gone(f"{machine}.{pid}.{int(started) - 1}.{salt}")


@pytest.mark.django_db
@pytest.mark.parametrize(("decided", "last_slot"), [(False, SLOT_0 - 1), (True, SLOT_0)])
def test_the_lease_of_the_dead_is_freed(dead_token: str, decided: bool, last_slot: int) -> None:
    killed, ticking = make_bot(), make_bot()
    assert claim_tick(killed.pk, SLOT_0, NOW, dead_token)
    assert claim_tick(ticking.pk, SLOT_0, NOW, new_token())
    if decided:
        write_decision(killed, Grounds(SLOT_0), Outcome.NOTHING, "done", NOW)
    assert free_leases_of_the_dead(read_bots()) == 1
    assert free_leases_of_the_dead(read_bots()) == 0
    bots = Bot.objects.in_bulk()
    assert (bots[killed.pk].lease_until, bots[killed.pk].last_slot) == (None, last_slot)
    assert bots[ticking.pk].lease_until is not None
    assert (claim_tick(killed.pk, SLOT_0, NOW) is None) is decided
