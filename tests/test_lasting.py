"""What is told only when it lasts."""

import pytest

from notifications.models import Condition, Event
from tests.factories import now_at
from tradingplatform import lasting
from tradingplatform.event_kinds import STUCK
from tradingplatform.lasting import Lasting

pytestmark = pytest.mark.django_db

NOW = now_at()


def kinds() -> list[str]:
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


def test_what_is_over_before_its_time_is_never_told(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(lasting.time, "monotonic", lambda: clock[0])
    alarm = Lasting(STUCK, 5, str)
    alarm.look({1: "stuck"}, NOW)
    clock[0] += 4
    alarm.look({}, NOW)
    clock[0] += 4
    alarm.look({1: "stuck anew"}, NOW)
    assert kinds() == []


def test_what_lasts_is_told_once_and_once_when_it_is_over(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(lasting.time, "monotonic", lambda: clock[0])
    alarm = Lasting(STUCK, 5, str)
    for _ in range(20):
        alarm.look({1: "one", 2: "two"}, NOW)
        clock[0] += 1
    assert kinds() == ["position_stuck", "position_stuck"]
    alarm.look({2: "two"}, NOW)
    assert kinds()[2:] == ["position_stuck_ended"]
    assert list(Condition.objects.filter(ended_at=None).values_list("subject", flat=True)) == ["2"]


def test_a_restart_tells_it_no_second_time_and_ends_it(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr(lasting.time, "monotonic", lambda: clock[0])
    for _ in range(2):
        alarm = Lasting(STUCK, 0, str)
        alarm.look({1: "one"}, NOW)
        clock[0] += 1
        alarm.look({1: "one"}, NOW)
    Lasting(STUCK, 0, str).look({}, NOW)
    assert kinds() == ["position_stuck", "position_stuck_ended"]
