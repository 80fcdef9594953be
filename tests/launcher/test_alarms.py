"""What is alarming reaches the terminal: critical events, the switch and the fleet file at a warm start."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from bots.models import Bot
from notifications.models import Event, Severity
from risk.models import DeadMansSwitch
from tests.factories import now_at
from tests.fleet.test_read import GOOD, read
from tradingplatform.fleet.load import load_fleet
from tradingplatform.launcher.alarms import MOST_AT_ONCE, Alarms
from tradingplatform.launcher.warm import warm_lines

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 31, 12, 30, tzinfo=UTC)


def event(text, severity=Severity.CRITICAL, wall_at=AT):
    return Event.objects.create(kind="k", severity=severity, text=text, market_at=AT, wall_at=wall_at)


@pytest.fixture
def var(tmp_path):
    (tmp_path / "run").mkdir()
    return tmp_path


def lines(alarms, tell=True):
    alarms.look()
    found = alarms.news()
    for number, _ in found if tell else []:
        alarms.told(number)
    return [line for _, line in found]


def test_a_critical_event_is_told_once(var):
    alarms = Alarms(var, AT.timestamp())
    assert lines(alarms) == []
    event("an order was filled", Severity.INFO)
    event("the portfolio lost 10 %")

    assert lines(alarms) == ["2026-01-31 12:30:00 UTC CRITICAL the portfolio lost 10 %"]
    assert lines(alarms) == []
    assert lines(Alarms(var, AT.timestamp())) == []


def test_what_the_last_narrator_did_not_tell_is_told_by_the_next(var):
    event("told")
    lines(Alarms(var, AT.timestamp()))
    event("not told")

    lines(Alarms(var, AT.timestamp()), tell=False)
    [line] = lines(Alarms(var, AT.timestamp() + 3600))

    assert line.endswith("CRITICAL not told")


def test_a_first_narrator_begins_with_its_run(var):
    event("old", wall_at=AT - timedelta(days=1))
    event("new")

    [line] = lines(Alarms(var, AT.timestamp()))

    assert line.endswith("new")


def test_many_at_once_come_in_portions_and_none_is_lost(var):
    for number in range(MOST_AT_ONCE + 3):
        event(f"number {number}")
    alarms = Alarms(var, AT.timestamp())

    assert [len(lines(alarms)) for _ in range(3)] == [MOST_AT_ONCE, 3, 0]


@pytest.mark.parametrize("kept", ["999999", "nonsense"])
def test_a_cursor_of_another_database(var, kept):
    (var / "run" / "alarms_told").write_text(kept)
    alarms = Alarms(var, AT.timestamp())
    lines(alarms)
    event("now")

    assert len(lines(alarms)) == 1


@pytest.fixture
def fleet_file(tmp_path):
    path = tmp_path / "my.toml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def loaded(fleet_file):
    load_fleet(read(GOOD), now_at(), "tester")
    now = datetime.now(UTC)
    DeadMansSwitch.objects.update_or_create(
        pk=1, defaults={"last_checkin_at": now, "last_checkin_by": "t", "high_water_at": now}
    )
    return now


def test_a_warm_start_where_all_is_well(var, fleet_file, loaded):
    assert list(warm_lines(var, fleet_file, loaded)) == [
        f"User operator; lost the password: make password VAR={var}",
    ]


def test_a_warm_start_with_an_edited_fleet(var, fleet_file, loaded):
    Bot.objects.filter(name="mine").update(capital="1")
    [_, line] = warm_lines(var, fleet_file, loaded)
    assert line == f"my.toml differs from what runs: make fleet VAR={var}, once this is up"

    fleet_file.write_text(GOOD.replace('"4h"', '"2h"'))
    [_, line] = warm_lines(var, fleet_file, loaded)
    assert line == f"my.toml cannot be loaded as it is: make fleet VAR={var} says why, once this is up"


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_warm_start_tolerates_a_file_that_cannot_be_read(var, fleet_file, loaded, content):
    fleet_file.unlink() if content is None else fleet_file.write_bytes(content)

    assert len(list(warm_lines(var, fleet_file, loaded))) == 1


def test_a_warm_start_asks_no_exchange(var, fleet_file, loaded, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", None)
    began = time.monotonic()

    list(warm_lines(var, fleet_file, loaded))

    assert time.monotonic() - began < 2


def test_a_warm_start_with_a_switch_that_runs_out(var, fleet_file, loaded):
    [_, line] = warm_lines(var, fleet_file, loaded + timedelta(hours=23, minutes=30))
    assert line == f"Dead man's switch CRITICAL, 30 min left: VAR={var} .venv/bin/python manage.py checkin"

    DeadMansSwitch.objects.update(latched_at=loaded)
    [_, line] = warm_lines(var, fleet_file, loaded)
    assert "TRIGGERED" in line
    assert 'manage.py reset_switch --reason "..."' in line
