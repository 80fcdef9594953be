"""Real workers that ask over HTTP: what an AI forbids is not entered by anybody, and what it allows is."""

import sys

import pytest

from tests.ai.server import ai_server, hangs, says
from tests.fleets import write_fleet
from tests.rig import Rig, until

pytestmark = pytest.mark.process

WORKER = ("worker", "--queues", "trading", "--concurrency", "2", "--without-gossip", "--without-mingle")
BOTS = 26
REFUSED = "SELECT COUNT(*) FROM risk_decision WHERE failed_check = 'ai_opinion'"
ENTRIES = "SELECT COUNT(*) FROM execution_order WHERE purpose = 'ENTRY'"


def count(rig: Rig, sql: str) -> int:
    return int(rig.query(sql)[0][0])


@pytest.fixture
def ai():
    with ai_server() as server:
        yield server


@pytest.fixture
def rig(ai):
    with Rig(450.0) as rig:  # a quarter of an hour is two seconds
        rig.environment |= {"AI_BASE_URL": ai.url, "AI_MODEL": "small-one", "AI_API_KEY": "", "AI_DEADLINE_S": "1"}
        file = rig.var / "fleet.toml"
        write_fleet(file, BOTS, eager=True)
        file.write_text(file.read_text().replace("[[bots]]", '[defaults]\nai_mode = "veto"\n\n[[bots]]', 1))
        rig.environment["FLEET"] = str(file)
        rig.manage("first_start")
        yield rig


def test_what_it_forbids_nobody_enters_and_what_it_allows_is_entered(rig, ai):
    ai.usual = says(verdict="veto", factor=1, reason="not today")
    rig.celery(*WORKER)
    rig.celery("beat", "--pidfile=")
    rig.spawn(sys.executable, "manage.py", "guard")
    until(lambda: count(rig, REFUSED) >= 3, "three vetoes", 90)
    assert count(rig, ENTRIES) == 0
    ai.usual = says(verdict="shrink", factor=0.5, reason="half of it")
    until(lambda: count(rig, ENTRIES) >= 2, "two entries", 90)
    ai.usual = hangs(30)
    ticks = rig.ticks()
    until(lambda: rig.ticks() >= ticks + 3 * BOTS, "everybody to tick on while it is silent", 60)
    called = count(rig, "SELECT SUM(calls) FROM bots_aiday")
    assert 0 <= called - len(ai.asked) <= 2, "counted first, then asked"
    assert count(rig, "SELECT SUM(ticks_failed) FROM bots_bot") == 0
    assert count(rig, f"{ENTRIES} AND CAST(amount AS REAL) <= 0") == 0
    unasked = "SELECT COUNT(*) FROM execution_order o JOIN risk_decision d ON d.id = o.decision_id"
    assert count(rig, f"{unasked} WHERE o.purpose = 'ENTRY' AND d.opinion NOT LIKE '%shrink%'") == 0
