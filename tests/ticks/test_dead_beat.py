"""Real processes without a beat: the switch triggers all the same, is told, and stays latched."""

import json
import sys
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest

from tests.rig import Rig, free_port, until

pytestmark = pytest.mark.process

SILENT = (
    "from datetime import timedelta; from django.utils import timezone; from risk.models import DeadMansSwitch;"
    " at = timezone.now() - timedelta(hours=25);"
    " DeadMansSwitch.objects.update_or_create(pk=1, defaults={'last_checkin_at': at, 'last_checkin_by': 'x',"
    " 'high_water_at': at})"
)
ALARM_DUE = (
    "from datetime import timedelta; from django.db.models import F; from risk.models import DeadMansSwitch;"
    " DeadMansSwitch.objects.update(alarmed_at=F('alarmed_at') - timedelta(minutes=16))"
)
ASK_THE_GATE = (
    "from django.db import transaction; from risk.deadman import pull; from market.clock import Clock;"
    "\nwith transaction.atomic(): print('TRIGGERED' if pull(Clock().now()) else 'open')"
)


@pytest.fixture
def rig():
    with Rig(60.0) as rig:
        yield rig


def told(rig: Rig, kind: str) -> int:
    return int(rig.query(f"SELECT COUNT(*) FROM notifications_event WHERE kind = '{kind}'")[0][0])


def test_without_a_beat_the_guard_tells_and_the_latch_survives_everybody(rig):
    rig.manage("shell", "--no-imports", "-c", SILENT)
    guard = rig.spawn(sys.executable, "manage.py", "guard")
    until(lambda: told(rig, "dead_man_triggered") == 1, "the guard to tell the trigger", 40)
    guard.kill()
    guard.wait()
    rig.manage("shell", "--no-imports", "-c", ALARM_DUE)
    rig.spawn(sys.executable, "manage.py", "guard")
    until(lambda: told(rig, "dead_man_still_triggered") == 1, "the next guard to tell it again", 40)
    assert told(rig, "dead_man_triggered") == 1
    assert "TRIGGERED" in rig.manage("shell", "--no-imports", "-c", ASK_THE_GATE)


def test_the_gate_latches_although_nobody_watches(rig):
    rig.manage("shell", "--no-imports", "-c", SILENT)
    assert "TRIGGERED" in rig.manage("shell", "--no-imports", "-c", ASK_THE_GATE)
    assert told(rig, "dead_man_triggered") == 1


def health(url: str) -> tuple[int, dict]:
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        return error.code, json.load(error)


def test_a_heartbeat_goes_from_beat_to_the_database_and_healthz_tells_of_it(rig):
    port = free_port()
    rig.manage("shell", "--no-imports", "-c", "from tradingplatform.housekeeping import ensure_schedule as e; e()")
    rig.spawn(sys.executable, "-m", "uvicorn", "tradingplatform.asgi:application", "--port", port)
    rig.celery("worker", "--queues", "housekeeping", "--concurrency", "1", "--without-gossip", "--without-mingle")
    rig.celery("beat", "--pidfile=")
    for service in ("guard", "reconcile"):
        rig.spawn(sys.executable, "manage.py", service)
    until(lambda: len(rig.query("SELECT name FROM notifications_heartbeat")) == 3, "three heartbeats", 90)
    status, body = health(f"http://127.0.0.1:{port}/healthz")
    assert (status, body["problems"]) == (200, [])
    [(late_s,)] = rig.query(
        "SELECT (julianday(wall_at) - julianday(sent_at)) * 86400 FROM notifications_heartbeat WHERE name = 'beat'"
    )
    assert 0 <= late_s < 30
