"""A position is open while something that the platform stands on goes away."""

import signal

import pytest

from tests.live_processes.platform import POST_ORDER, LivePlatform

pytestmark = pytest.mark.process


def state(live: LivePlatform) -> list[tuple[object, ...]]:
    """What may not change while nobody decides anything."""
    bots = live.query("SELECT name, status, live FROM bots_bot ORDER BY id")
    positions = live.query("SELECT id, status, quantity, cost, stop_price FROM execution_position ORDER BY id")
    return bots + positions + live.query("SELECT client_order_id, status, filled FROM execution_order ORDER BY id")


def lost(live: LivePlatform, before: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    now = state(live)
    return [row for row in before if row not in now]


def stopped_out(live: LivePlatform, bot: str) -> bool:
    return [row["status"] for row in live.at_exchange(bot, "s")] == ["FILLED"]


def test_everything_is_killed_and_the_stop_sells_meanwhile(live: LivePlatform):
    bot = live.hold("all-dead", stop_percent=0.5)
    live.kill_programs()
    while not stopped_out(live, bot):
        live.let_pass(minutes=20)
    assert live.position(bot) == "OPEN"
    live.restart()
    live.until_closed(bot)
    assert live.orders(bot, "STOP") == ["FILLED"]
    assert live.at_exchange(bot, "x") == []


def test_redis_is_killed_and_comes_back_empty(live: LivePlatform):
    bot = live.hold("redis-killed", "ETH/USDT")
    before = state(live)
    live.restart_redis()
    assert live.hold("after-redis", "BNB/USDT")  # beat, worker and all caches found their way back
    assert lost(live, before) == []
    assert live.position(bot) == "OPEN"


def test_redis_is_flushed(live: LivePlatform):
    live.hold("redis-flushed", "SOL/USDT")
    before = state(live)
    live.flush_redis()
    assert live.hold("after-flush", "XRP/USDT")
    assert lost(live, before) == []


def test_a_position_is_closed_while_redis_hangs(live: LivePlatform):
    bot = live.hold("redis-hangs", "ADA/USDT")
    other = live.hold("redis-hangs-too", "LTC/USDT")
    before = state(live)
    live.redis.send_signal(signal.SIGSTOP)
    try:
        live.manage("close_position", bot)
        live.until_closed(bot, 30)
        assert len(lost(live, before)) == 2  # its position and its stop
        live.let_go_by(seconds=15)
        assert live.position(other) == "OPEN"
    finally:
        live.redis.send_signal(signal.SIGCONT)
    assert live.hold("after-hang", "DOT/USDT")


@pytest.mark.proof
def test_the_database_is_locked_as_the_answer_comes(live: LivePlatform):
    answering = live.fault({"kind": "latency", "min_ms": 1500, "when": "after"}, POST_ORDER, times=1)
    bot = live.enter("locked", "LINK/USDT")
    live.until_struck(answering)
    with live.database_locked():
        live.let_go_by(seconds=30)  # longer than trying to book the answer takes, and that the tick has failed
    live.until_protected(bot, 15)
    assert live.orders(bot, "ENTRY") == ["FILLED"]
    assert len(live.at_exchange(bot, "e")) == 1


def test_the_exchange_dies_with_the_order_in_its_ledger(live: LivePlatform):
    fault = live.fault({"kind": "timeout_after", "hold_s": 60}, POST_ORDER, times=1)
    bot = live.enter("exchange-dies", "AVAX/USDT")
    live.until_struck(fault)
    live.restart_exchange()
    live.until_protected(bot)
    assert live.orders(bot, "ENTRY") == ["FILLED"]
    assert len(live.at_exchange(bot, "e")) == len(live.at_exchange(bot, "s")) == 1
