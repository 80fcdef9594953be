"""Processes that come and go, with the real ones: what each says, and what is told of one that was killed."""

import json
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import psutil
import pytest
from django.db import connection, transaction

from market.clock import Clock
from notifications.models import Event, Severity
from tests.factories import make_event, now_at
from tests.rig import ROOT, until
from tradingplatform.presence import PATIENCE_S, Presence, find_dead
from tradingplatform.version import project_version

HOST, NOW = platform.node(), now_at()
GONE = 2**22 + 1  # beyond the largest process number


class Guards:
    """``manage.py guard`` over a database of its own. No exchange and no Redis: it goes on without."""

    def __init__(self, var):
        self.database = var / "platform.sqlite3"
        now_ms = time.time_ns() // 1_000_000
        clock = {"origin_wall_ms": now_ms, "origin_market_ms": now_ms, "speed": 1.0}
        (var / "clock.json").write_text(json.dumps(clock))
        settings = {"DJANGO_SETTINGS_MODULE": "tradingplatform.settings", "SECRET_KEY": "x" * 50, "DATABASE_URL": ""}
        redis = {"REDIS_URL": f"unix://{var}/nobody.sock", "SIM_URL": "http://127.0.0.1:9"}
        self.environment = {**os.environ, "VAR": str(var), **settings, **redis}
        if connection.vendor == "sqlite":  # the tests' own, empty: a copy takes no time
            connection.ensure_connection()
            with closing(sqlite3.connect(self.database)) as copy:
                connection.connection.backup(copy)
        else:
            subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=self.environment, check=True)

    def start(self):
        """Returns once it has said that it is up."""
        told = len(self.told())
        command = [sys.executable, "manage.py", "guard"]
        process = psutil.Popen(command, cwd=ROOT, env=self.environment, stderr=subprocess.DEVNULL)
        until(lambda: len(self.told()) > told, "the guard to say that it is up")
        return process

    def told(self):
        with closing(sqlite3.connect(self.database)) as rows:
            found = rows.execute(
                "SELECT kind, severity, text, payload FROM notifications_event WHERE kind LIKE 'process_%' ORDER BY id"
            )
            return [(*row, json.loads(payload)) for *row, payload in found]


@pytest.mark.process
@pytest.mark.django_db(transaction=True)
def test_a_killed_process_is_told_of_and_a_stopped_one_says_so(tmp_path):
    guards = Guards(tmp_path)
    first = guards.start()
    first.send_signal(signal.SIGKILL)
    first.wait(10)

    second = guards.start()
    second.terminate()
    second.wait(10)

    up, back, down = guards.told()
    about = {"name": "guard", "host": HOST}
    assert up[:2] == ("process_up", "INFO")
    assert up[3] == {**about, "pid": first.pid, "version": project_version()}
    assert back[:2] == ("process_up", "WARNING")
    assert f"guard on {HOST} is back; the one before it (pid {first.pid}, up since " in back[2]
    assert (back[3]["pid"], back[3]["died_pid"]) == (second.pid, first.pid)
    assert down[:2] == ("process_down", "INFO")
    assert down[3].pop("uptime_s") < 60
    assert down[3] == {**about, "pid": second.pid}


def up(pid=GONE, name="guard", host=HOST, kind="process_up", when=NOW):
    return make_event(kind, when, kind=kind, payload={"name": name, "host": host, "pid": pid, "version": "1"})


@pytest.mark.django_db
def test_who_died_without_a_word():
    assert find_dead("guard", HOST) is None
    dead = up()
    up(name="sweeper")
    up(host="elsewhere")
    assert find_dead("guard", HOST) == dead
    up(kind="process_down")
    assert find_dead("guard", HOST) is None


@pytest.mark.django_db
def test_who_lives_did_not_die():
    """Two beats may run side by side. Our own number, in what an earlier process said, is not us."""
    before, lately = NOW, Clock().now()
    assert find_dead("beat", HOST) is None
    up(pid=os.getppid(), when=lately)
    assert find_dead("guard", HOST) is None
    another = up(pid=os.getppid(), when=before)  # said before the process that has its number now began
    assert find_dead("guard", HOST) == another
    ourselves = up(pid=os.getpid(), when=lately)
    assert find_dead("guard", HOST) == ourselves


@pytest.mark.django_db(transaction=True)
def test_a_database_that_is_away_keeps_nobody():
    table = Event._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {table} RENAME TO away")
        try:
            presence = Presence("guard")
            presence.up()
            presence.down()
        finally:
            cursor.execute(f"ALTER TABLE away RENAME TO {table}")
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_locked_database_keeps_nobody():
    presence = Presence("guard")
    with transaction.atomic():
        Event.objects.create(
            kind="process_up", text="the lock of a writer", market_at=NOW.market_at, wall_at=NOW.wall_at
        )
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("LOCK TABLE notifications_event")
        begun_s = time.monotonic()
        presence.down()
        assert PATIENCE_S / 2 < time.monotonic() - begun_s < PATIENCE_S + 2
    presence.down()  # after the first, which a process that ends would not wait for
    assert Event.objects.filter(kind="process_down").count() == 2


@pytest.mark.django_db(transaction=True)
def test_up_is_said_before_down():
    presence = Presence("guard")
    presence.up()
    presence.down()
    assert list(Event.objects.order_by("pk").values_list("kind", "severity")) == [
        ("process_up", Severity.INFO),
        ("process_down", Severity.INFO),
    ]
