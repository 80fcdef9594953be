"""The sweeper: whom it rings for, how often, and how it bears up."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from signal import SIGINT, SIGTERM, Signals

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from bots.lifecycle import claim_tick, release
from bots.models import BotStatus
from market.clock import Clock, Now
from market.slots import slot_start_ms
from tests.factories import SLOT_0, make_account, make_bot
from tests.redis_server import running_redis
from tests.scheduling.conftest import Bell
from tradingplatform.sweeper import AGAIN_MS, QUEUE_LIMIT, BotState, Ring, Sweeper, overdue, permitted

SetClock = Callable[..., Clock]
START = slot_start_ms(SLOT_0, 900)
SAME = Clock()  # market time is wall time


def moment(market_ms: int, clock: Clock = SAME) -> Now:
    return Now(wall_ms=clock.wall_ms(market_ms), market_ms=market_ms)


@pytest.mark.parametrize(
    ("last_slot", "after_s", "is_overdue"),
    [
        (SLOT_0 - 1, 43.0, False),  # due at 40, three seconds' grace
        (SLOT_0 - 1, 43.001, True),
        (SLOT_0 - 1, 899.0, True),
        (SLOT_0, 899.0, False),
        (SLOT_0 - 999, 43.001, True),
        (-1, 43.001, True),
        (SLOT_0 - 2, 1.0, False),  # the slot before is over: it is nobody's any more
    ],
)
def test_who_is_overdue(last_slot: int, after_s: float, is_overdue: bool) -> None:
    bot = BotState(7, 900, 40, last_slot, None)
    rings = overdue([bot], SAME, moment(START + round(after_s * 1000)))
    assert [ring.bot_id for ring in rings] == ([7] if is_overdue else [])


def test_overdue_is_counted_in_wall_time_and_expiry_ends_with_the_slot() -> None:
    clock = Clock(origin_wall_ms=START, origin_market_ms=START, speed=60)
    bot = BotState(7, 900, 0, SLOT_0 - 1, None)
    assert overdue([bot], clock, moment(START + 180_000, clock)) == []
    assert overdue([bot], clock, moment(START + 181_000, clock)) == [Ring(7, SLOT_0, START, pytest.approx(12, abs=0.1))]


def test_a_bot_that_still_ticks_is_left_alone() -> None:
    now = moment(START + 60_000)
    held = BotState(7, 900, 0, SLOT_0 - 1, now.wall_at + timedelta(seconds=5))
    dead = BotState(8, 900, 0, SLOT_0 - 1, now.wall_at - timedelta(seconds=5))
    assert [ring.bot_id for ring in overdue([held, dead], SAME, now)] == [8]


def test_the_longest_overdue_come_first() -> None:
    bots = [BotState(1, 900, 80, -1, None), BotState(2, 900, 2, -1, None), BotState(3, 14400, 4, -1, None)]
    start = slot_start_ms(SLOT_0 // 16 + 1, 14400)
    assert [ring.bot_id for ring in overdue(bots, SAME, moment(start + 899_000))] == [2, 3, 1]


@given(
    count=st.integers(0, 500),
    waiting=st.integers(0, 500),
    rung=st.dictionaries(st.integers(0, 499), st.integers(0, 20_000), max_size=50),
)
def test_the_bounds_hold(count: int, waiting: int, rung: dict[int, int]) -> None:
    rings = [Ring(bot_id, SLOT_0, 0, 1.0) for bot_id in range(count)]
    wall_ms = 20_000
    chosen = permitted(rings, {(bot_id, SLOT_0): at for bot_id, at in rung.items()}, waiting, wall_ms)
    assert waiting <= QUEUE_LIMIT or not chosen
    assert not chosen or waiting + len(chosen) <= QUEUE_LIMIT + 1
    assert all(wall_ms - rung.get(ring.bot_id, -AGAIN_MS) >= AGAIN_MS for ring in chosen)
    ripe = [ring for ring in rings if wall_ms - rung.get(ring.bot_id, -AGAIN_MS) >= AGAIN_MS]
    assert chosen == ripe[: len(chosen)]
    assert waiting > QUEUE_LIMIT or len(chosen) == min(len(ripe), QUEUE_LIMIT + 1 - waiting)


def test_a_ring_for_the_last_slot_does_not_hinder_one_for_this() -> None:
    assert permitted([Ring(1, SLOT_0, 0, 1.0)], {(1, SLOT_0 - 1): 1000}, 0, 1001)


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_the_unclaimed_are_rung_for_once(bell: Bell, set_clock: SetClock) -> None:
    clock = set_clock(START + 450_000)
    account = make_account()
    lost = make_bot(account)
    ticked, running = make_bot(account), make_bot(account, last_slot=5)
    make_bot(account, status=BotStatus.STOPPED)
    exits = make_bot(account, status=BotStatus.HALTED)
    now = clock.now()
    claim = claim_tick(ticked.pk, SLOT_0, now)
    assert claim is not None
    release(claim, now, failed=False)
    assert claim_tick(running.pk, SLOT_0 - 1, now)
    sweeper = Sweeper(bell.app)
    assert sweeper.sweep() == 2
    assert sweeper.sweep() == 0
    assert bell.bots() == {lost.pk: 1, exits.pk: 1}
    set_clock(START + 1_350_000)
    assert sweeper.sweep() == 3  # the next slot; of the running one the lease still holds
    assert bell.bots() == {lost.pk: 1, ticked.pk: 1, exits.pk: 1}


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_nothing_is_added_to_a_long_queue(bell: Bell, set_clock: SetClock) -> None:
    set_clock(START + 450_000)
    make_bot()
    bell.redis.rpush("trading", *range(QUEUE_LIMIT + 1))
    sweeper = Sweeper(bell.app)
    assert sweeper.sweep() == 0
    bell.redis.lpop("trading")
    assert sweeper.sweep() == 1


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_it_survives_broker_database_and_clock(set_clock: SetClock, caplog: pytest.LogCaptureFixture) -> None:
    set_clock(START + 450_000)
    make_bot()
    with running_redis() as server:
        sweeper = Sweeper(Bell(server.url).app)
        server.freeze()
        began = time.monotonic()
        assert [sweeper.sweep(), sweeper.sweep()] == [0, 0]
        assert time.monotonic() - began < 3
        server.thaw()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE bots_bot RENAME TO away")
            try:
                assert [sweeper.sweep(), sweeper.sweep()] == [0, 0]
            finally:
                cursor.execute("ALTER TABLE away RENAME TO bots_bot")
        settings.CLOCK_FILE.write_text("{")
        assert [sweeper.sweep(), sweeper.sweep()] == [0, 0]
        set_clock(START + 450_000)
        assert sweeper.sweep() == 1
    for what in ("broker", "database", "clock"):
        assert caplog.text.count(f"sweeper_{what}_failed") == 1
        assert caplog.text.count(f"sweeper_{what}_works_again") == 1


@pytest.mark.process
def test_the_process_ends_within_a_second(bell: Bell, tmp_path: Path) -> None:
    started = [SweepProcess(bell, tmp_path / name, number) for name, number in (("term", SIGTERM), ("int", SIGINT))]
    try:
        for process in started:
            process.ends_in_time()
    finally:
        for process in started:
            process.process.kill()


class SweepProcess:
    """``manage.py sweep`` on an empty VAR."""

    def __init__(self, bell: Bell, var: Path, number: Signals) -> None:
        var.mkdir()
        self.number, self.log = number, var / "log"
        environment = {**os.environ, "VAR": os.fspath(var), "DJANGO_SETTINGS_MODULE": "tradingplatform.settings"}
        environment["REDIS_URL"] = "unix://" + bell.redis.connection_pool.connection_kwargs["path"]
        with self.log.open("w") as log:
            command = [sys.executable, "manage.py", "sweep"]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def ends_in_time(self) -> None:
        deadline = time.monotonic() + 20
        while "sweeper_database_failed" not in self.log.read_text():  # there are no tables in its VAR
            assert time.monotonic() < deadline, self.log.read_text()
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)
        self.process.send_signal(self.number)
        assert self.process.wait(timeout=10) == 0
        assert "sweeper_stopped" in self.log.read_text()
