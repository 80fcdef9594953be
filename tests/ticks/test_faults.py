"""A small fleet of real processes, an exchange that stops answering, and one that says it is too much."""

import sys

import pytest

from tests.rig import Rig, until

pytestmark = pytest.mark.process
SPEED = 180.0  # a quarter of an hour is five seconds
WORKER = ("worker", "--queues", "trading", "--concurrency", "2", "--without-gossip", "--without-mingle")
BOTS = 3


@pytest.fixture
def rig():
    with Rig(SPEED) as rig:
        rig.load_fleet(BOTS)
        rig.celery(*WORKER)
        rig.celery("beat", "--pidfile=")
        for command in ("sweep", "guard", "reconcile"):
            rig.spawn(sys.executable, "manage.py", command)
        until(lambda: rig.ticks() >= BOTS, "the first ticks")
        yield rig


def fault(rig: Rig, **told: object) -> None:
    rig.tell_exchange("/sim/faults", {"where": "/api/v3/*", **told})


def faults(rig: Rig) -> list[dict]:
    told = rig.tell_exchange("/sim/faults", method="GET")
    return [*told["active"], *told["past"]]


def no_faults(rig: Rig) -> None:
    rig.tell_exchange("/sim/faults", method="DELETE")


def events(rig: Rig, kind: str) -> int:
    return int(rig.query(f"SELECT COUNT(*) FROM notifications_event WHERE kind = '{kind}'")[0][0])


def decided_freshly(rig: Rig, after_slot: int) -> int:
    """How many bots have decided on fresh candles in a slot after that one."""
    return int(
        rig.query(
            "SELECT COUNT(DISTINCT bot_id) FROM risk_decision WHERE outcome NOT IN ('SKIPPED', 'FAILED')"
            f" AND slot > {after_slot} AND reason NOT LIKE '%late%' AND reason NOT LIKE '%stale%'"
        )[0][0]
    )


def last_slot(rig: Rig) -> int:
    return int(rig.query("SELECT MAX(slot) FROM risk_decision")[0][0])


def test_an_outage_fails_no_tick_is_told_and_ends(rig):
    fault(rig, what="reset_before")
    until(lambda: events(rig, "exchange_down") == 1, "the outage to be told")
    until(lambda: events(rig, "stale_candles") == BOTS, "every stale series to be told")
    until(lambda: events(rig, "stale_prices") == 1, "stale prices to be told")
    no_faults(rig)
    for kind, count in (("exchange_down_ended", 1), ("stale_candles_ended", BOTS), ("stale_prices_ended", 1)):
        until(lambda kind=kind, count=count: events(rig, kind) == count, f"{kind} to be told")
    begun = last_slot(rig)
    until(lambda: decided_freshly(rig, begun) == BOTS, "every bot to decide again")
    assert rig.query("SELECT SUM(ticks_failed) FROM bots_bot") == [(0,)]
    assert events(rig, "exchange_down") == 1


def test_a_limit_is_heeded_by_all_and_told(rig):
    fault(rig, what={"kind": "too_many_requests", "retry_after_s": 6}, for_s=5)
    until(lambda: events(rig, "exchange_limited") == 1, "the limit to be told")
    until(lambda: events(rig, "exchange_limited_ended") == 1, "its end to be told")
    struck = sum(told["struck"] for told in faults(rig))
    assert 1 <= struck <= 4  # two workers, the guard and the sweeper: who had asked already, and nobody again
    begun = last_slot(rig)
    until(lambda: decided_freshly(rig, begun) == BOTS, "every bot to decide again")
    assert rig.query("SELECT SUM(ticks_failed) FROM bots_bot") == [(0,)]
