"""The day's calls and the rests after failures: one count and one circuit for all processes, on rows."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection

from bots.models import AiCircuit, AiDay
from market.clock import Now
from notifications.models import Condition, Event
from tests.factories import make_bot, now_at
from tradingplatform.ai import budget
from tradingplatform.ai.opinion import end_what_is_off

ROOT = Path(__file__).resolve().parent.parent.parent
NOW = now_at()


def later(seconds):
    return Now(NOW.wall_ms + round(seconds * 1000), NOW.market_ms + round(seconds * 1000))


def fail(times, now=NOW):
    for _ in range(times):
        budget.note_failure("HTTP 500", now)


def kinds():
    return list(Event.objects.order_by("pk").values_list("kind", flat=True))


@pytest.mark.django_db
def test_a_days_calls_are_counted_and_then_refused_and_told_once():
    assert [budget.take(3, NOW) == "" for _ in range(5)] == [True, True, True, False, False]
    assert AiDay.objects.get().calls == 3
    assert budget.take(3, NOW) == "all 3 calls of the AI of 2024-03-09 (UTC, wall time) are spent"
    assert kinds() == ["ai_limit_reached"]
    assert budget.take(3, later(86_400)) == ""
    assert kinds() == ["ai_limit_reached", "ai_limit_reached_ended"]
    assert [(row.day.day, row.calls) for row in AiDay.objects.all()] == [(10, 1), (9, 3)]


@pytest.mark.django_db
def test_a_limit_of_0_calls_nobody():
    assert budget.take(0, NOW)
    assert AiDay.objects.get().calls == 0


@pytest.mark.django_db(transaction=True)
def test_threads_share_the_last_calls():
    def take(_):
        try:
            return [budget.take(50, NOW) for _ in range(10)]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = [answer for each in pool.map(take, range(8)) for answer in each]
    assert answers.count("") == 50 == AiDay.objects.get().calls
    assert kinds().count("ai_limit_reached") == 1


TAKER = """
import django; django.setup()
from tests.factories import now_at
from tradingplatform.ai import budget
print([budget.take(50, now_at()) for _ in range(10)].count(""))
"""


@pytest.mark.process
def test_processes_share_the_last_calls(tmp_path):
    environment = {**os.environ, "VAR": str(tmp_path), "SECRET_KEY": "x" * 50, "DATABASE_URL": "", "REDIS_URL": ""}
    environment |= {"DJANGO_SETTINGS_MODULE": "tradingplatform.settings", "LOG_LEVEL": "ERROR"}
    start = {"cwd": ROOT, "env": environment, "text": True}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], check=True, **start)
    takers = [subprocess.Popen([sys.executable, "-c", TAKER], stdout=subprocess.PIPE, **start) for _ in range(8)]
    taken = [json.loads(taker.communicate(timeout=120)[0]) for taker in takers]
    assert sum(taken) == 50


@pytest.mark.django_db
def test_after_three_failures_in_a_row_it_rests_for_a_minute_and_says_so_once():
    fail(2)
    assert budget.take(500, NOW) == ""
    fail(1)
    assert budget.take(500, later(1)) == "the AI is left alone for 59 s more, after 3 failures in a row"
    assert kinds() == ["ai_trouble"]
    assert "HTTP 500" in Condition.objects.get().text
    assert AiDay.objects.get().calls == 1, "what is not asked is not counted"


@pytest.mark.django_db
def test_then_one_call_finds_out_while_all_others_wait():
    fail(3)
    assert budget.take(500, later(61)) == ""
    assert "left alone" in budget.take(500, later(61))
    fail(1, later(62))
    assert "left alone" in budget.take(500, later(120))
    assert kinds() == ["ai_trouble"], "it lasts, and is not told again"


@pytest.mark.django_db
def test_an_answer_ends_the_trouble_for_everybody():
    fail(3)
    budget.note_success(later(61))
    assert [budget.take(500, later(62)) for _ in range(3)] == ["", "", ""]
    assert kinds() == ["ai_trouble", "ai_trouble_ended"]
    assert AiCircuit.objects.get().failures == 0
    fail(2)
    budget.note_success(later(70))
    fail(2)
    assert budget.take(500, later(71)) == "", "not in a row"


@pytest.mark.django_db
def test_a_clock_set_back_does_not_leave_it_alone_for_ever():
    fail(3)
    assert budget.take(500, later(-86_400)) == ""


@pytest.mark.django_db
def test_failures_are_counted_by_day():
    budget.take(500, NOW)
    fail(1)
    assert (AiDay.objects.get().calls, AiDay.objects.get().failures) == (1, 1)
    assert timedelta(seconds=60) == budget.REST


@pytest.mark.django_db
def test_trouble_with_what_was_turned_off_is_over(settings):
    fail(3)
    budget.take(0, later(61))
    make_bot(ai_mode="veto")
    settings.AI_BASE_URL, settings.AI_MODEL = "http://127.0.0.1:1/v1", "m"
    end_what_is_off(later(62))
    assert Condition.objects.filter(ended_at=None).count() == 2, "it may well go on"
    settings.AI_MODEL = ""
    end_what_is_off(later(63))
    assert not Condition.objects.filter(ended_at=None).exists()
