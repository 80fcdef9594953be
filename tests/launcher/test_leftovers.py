"""Processes of a killed run are found and stopped; nobody else's."""

import os
import subprocess
import sys
import time

import psutil
import pytest

from tradingplatform.launcher import leftovers
from tradingplatform.launcher.folder import OURS
from tradingplatform.launcher.leftovers import stop_leftovers

# A parent that leaves in peace on SIGTERM, with a child that notes down when it is told to stop.
PARENT = """
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: open(sys.argv[1], "w"))
print("ready", flush=True)
time.sleep(60)
''', sys.argv[1]])
def leave(*_):
    child.kill()
    sys.exit(0)
signal.signal(signal.SIGTERM, leave)
time.sleep(60)
"""
STUBBORN = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(60)
"""
pytestmark = pytest.mark.process


@pytest.fixture
def start():
    started = []

    def run(code, *arguments, **environment):
        process = subprocess.Popen(
            [sys.executable, "-c", code, *map(str, arguments)],
            env={**os.environ, **environment},
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def test_a_run_of_this_folder_is_stopped_and_named(tmp_path, start):
    ours = {OURS: str(tmp_path), "SUPERVISOR_PROCESS_NAME": "trading"}
    parent = start(PARENT, tmp_path / "torn", **ours)
    child = psutil.Process(parent.pid).children()[0]
    stranger = start(STUBBORN, **{OURS: str(tmp_path / "other")})

    assert stop_leftovers(tmp_path) == ["trading"]

    parent.wait(5)
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not (tmp_path / "torn").exists(), "a pool child must not be told to stop: it would tear its tick apart"
    assert stranger.poll() is None


def test_one_that_does_not_listen_is_killed(tmp_path, start, monkeypatch):
    monkeypatch.setattr(leftovers, "PATIENCE_S", 0.3)
    process = start(STUBBORN, **{OURS: str(tmp_path), "SUPERVISOR_PROCESS_NAME": "redis"})

    began = time.monotonic()
    stop_leftovers(tmp_path)

    process.wait(5)
    assert time.monotonic() - began < 5


def test_nothing_was_left(tmp_path):
    assert stop_leftovers(tmp_path) == []
