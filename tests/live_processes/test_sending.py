"""What becomes of an order whose sender dies, is told to stop, or is left without an answer."""

import pytest

from tests.live_processes.platform import LivePlatform
from tests.rig import until

pytestmark = pytest.mark.process
ASK = "GET /api/v3/order"


def test_a_sender_is_killed_while_its_order_is_carried_out(live: LivePlatform):
    fault = live.fault({"kind": "timeout_after", "hold_s": 60}, times=1)
    bot = live.enter("carried-out")
    live.until_struck(fault)
    live.worker_of(bot).kill()
    live.until_protected(bot)
    assert live.orders(bot, "ENTRY") == ["FILLED"]
    assert len(live.at_exchange(bot, "e")) == len(live.at_exchange(bot, "s")) == 1


@pytest.mark.proof
def test_killed_again_and_again_while_it_recovers(live: LivePlatform):
    """The sender first, then the reconciler while it asks, then the reconciler while it places the stop."""
    sending = live.fault({"kind": "timeout_after", "hold_s": 60}, times=1)
    bot = live.enter("recovering", "ETH/USDT")
    live.until_struck(sending)
    asking = live.fault({"kind": "latency", "min_ms": 20_000}, ASK, times=1)
    live.worker_of(bot).kill()
    live.until_struck(asking)
    live.kill("reconcile")
    protecting = live.fault({"kind": "timeout_after", "hold_s": 60}, times=1)
    live.until_struck(protecting)
    live.kill("reconcile")
    live.until_protected(bot)
    assert live.orders(bot, "ENTRY") == ["FILLED"]
    assert len(live.at_exchange(bot, "e")) == len(live.at_exchange(bot, "s")) == 1


def test_a_worker_told_to_stop_waits_for_the_answer(live: LivePlatform):
    answering = live.fault({"kind": "latency", "min_ms": 3000, "when": "after"}, times=1)
    bot = live.enter("told-to-stop", "SOL/USDT")
    live.until_struck(answering)
    worker = live.programs["trading"]
    worker.terminate()
    assert worker.wait(30) == 0
    assert live.orders(bot, "ENTRY") == ["FILLED"]
    assert live.orders(bot, "STOP") == ["ACKED"]
    assert live.position(bot) == "OPEN"
    live.start_program("trading")


def test_accepted_late_and_found_later_still(live: LivePlatform):
    """The answer says that nobody knows; four seconds later it is accepted, and for four more it is not found."""
    live.fault({"kind": "delayed_acceptance", "delay_s": 4, "answer": "error"}, times=1)
    live.fault({"kind": "query_lag", "lag_ms": 4000}, ASK)
    bot = live.enter("late", "XRP/USDT")
    until(lambda: live.orders(bot, "ENTRY") == ["UNKNOWN"], "the order to be unknown")
    assert live.at_exchange(bot) == []
    live.until_protected(bot)
    assert live.orders(bot, "ENTRY") == ["FILLED"]
    assert len(live.at_exchange(bot, "e")) == 1


@pytest.mark.proof
def test_a_sender_is_killed_and_its_order_never_arrives(live: LivePlatform):
    """Half a minute after it was sent it can not be accepted any more: only then is it given up."""
    fault = live.fault({"kind": "timeout_before", "hold_s": 60}, times=1)
    bot = live.enter("lost", "ADA/USDT")
    live.until_struck(fault)
    live.worker_of(bot).kill()
    until(lambda: live.position(bot) == "FLAT", f"{bot} to be flat", 90)
    assert live.orders(bot, "ENTRY") == ["ABSENT"]
    assert live.at_exchange(bot) == []
    waited_s = live.query(
        "SELECT (julianday(finished_at) - julianday(sent_at)) * 86400 FROM execution_order WHERE status = 'ABSENT'"
    )[0][0]
    assert waited_s >= 30
