"""Real workers, beats and sweeper on a real Redis and exchange: what becomes of slots when processes misbehave."""

import os
import signal
import sys
from itertools import pairwise

import psutil
import pytest

from tests.rig import Rig, until

pytestmark = pytest.mark.process
SPEED = 450.0  # a quarter of an hour is two seconds
WORKER = ("worker", "--queues", "trading", "--concurrency", "1", "--without-gossip", "--without-mingle")
BEAT = ("beat", "--pidfile=")
BOTS = 3


@pytest.fixture
def rig(request):
    with Rig(getattr(request, "param", SPEED)) as rig:
        rig.load_fleet(BOTS)
        yield rig


def slots(rig: Rig) -> dict[int, list[int]]:
    """The decided slots of every bot, in the order they were decided."""
    found: dict[int, list[int]] = {}
    for bot, slot in rig.query("SELECT bot_id, slot FROM risk_decision ORDER BY id"):
        found.setdefault(bot, []).append(slot)
    return found


def failed(rig: Rig) -> int:
    return int(rig.query("SELECT SUM(ticks_failed) FROM bots_bot")[0][0])


def ticks_of(rig: Rig, bot: int) -> int:
    return int(rig.query(f"SELECT ticks FROM bots_bot WHERE id = {bot}")[0][0])


def claimed_undecided(rig: Rig) -> list[int]:
    """Bots whose tick has begun and not ended."""
    return [row[0] for row in rig.query("SELECT id FROM bots_bot WHERE lease_until IS NOT NULL")]


def test_two_beats_execute_every_slot_once_and_ask_for_every_candle_once(rig):
    rig.celery(*WORKER)
    for _ in range(2):
        rig.celery(*BEAT)
    until(lambda: rig.ticks() >= 5 * BOTS, "five slots of every bot")
    assert failed(rig) == 0
    for bot_slots in slots(rig).values():
        assert all(later == earlier + 1 for earlier, later in pairwise(bot_slots)), "a slot was lost or done twice"
    asked = rig.exchange_stats()["candle_requests"]
    decided = sum(len(bot_slots) for bot_slots in slots(rig).values())
    assert asked <= decided + BOTS  # one request for each slot's candle, perhaps one more in the first seconds


def test_a_worker_told_to_stop_finishes_its_tick(rig):
    """The exchange is frozen in the middle of a tick, the worker is told to stop, the exchange comes back."""
    worker, _ = rig.celery(*WORKER), rig.celery(*BEAT)
    until(lambda: rig.ticks() >= BOTS, "the first ticks")
    rig.exchange.send_signal(signal.SIGSTOP)
    until(lambda: bool(claimed_undecided(rig)), "a tick that waits for the exchange")
    ticking = claimed_undecided(rig)[0]
    before = ticks_of(rig, ticking)
    worker.send_signal(signal.SIGTERM)
    rig.exchange.send_signal(signal.SIGCONT)
    assert worker.wait(timeout=30) == 0
    assert claimed_undecided(rig) == []
    assert ticks_of(rig, ticking) == before + 1
    assert failed(rig) == 0


@pytest.mark.parametrize("rig", [40.0], indirect=True)  # a slot of 22 seconds: time to find the dead and ring again
def test_a_slot_whose_tick_was_killed_is_done_again(rig):
    """kill -9 of the pool's child in the middle of a tick: the sweeper frees the lease, and rings."""
    worker, _ = rig.celery(*WORKER), rig.celery(*BEAT)
    rig.spawn(sys.executable, "manage.py", "sweep")
    until(lambda: rig.ticks() >= BOTS, "the first ticks")
    rig.exchange.send_signal(signal.SIGSTOP)
    until(lambda: bool(claimed_undecided(rig)), "a tick that waits for the exchange")
    killed = claimed_undecided(rig)[0]
    slot = rig.query(f"SELECT last_slot FROM bots_bot WHERE id = {killed}")[0][0]
    child = psutil.Process(worker.pid).children()[0]
    os.kill(child.pid, signal.SIGKILL)
    rig.exchange.send_signal(signal.SIGCONT)
    decision = f"SELECT outcome FROM risk_decision WHERE bot_id = {killed} AND slot = {slot}"
    until(lambda: bool(rig.query(decision)), "the killed slot to be done", 30)
    assert failed(rig) == 0
