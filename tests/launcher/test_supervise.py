"""The supervisor with small programs: deaths, circles, stops."""

import itertools
import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from market.clock import Clock, save_clock
from tradingplatform.environment import ROOT
from tradingplatform.launcher import child, journal, marketclock
from tradingplatform.launcher.folder import OURS, make_folder
from tradingplatform.launcher.programs import Program, write_programs
from tradingplatform.launcher.supervisord_conf import render

pytestmark = pytest.mark.process
SLEEPS = "import time; time.sleep(600)"
# Leaves a child of its own behind and does not listen to SIGTERM.
STUBBORN = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", {SLEEPS!r}])
time.sleep(600)
"""
TELLS = "import os, time; os.write(int(os.environ['PLATFORM_TERMINAL']), b'hello terminal'); time.sleep(600)"


def program(name, code, group="work", **more):
    return Program(name, "a test", [sys.executable, "-c", code], group, 1, **more)


def until(condition, timeout=20.0):
    deadline = time.monotonic() + timeout
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def lives(process):
    """A zombie is dead, and waits for whoever adopted it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Run:
    """A supervisor on a VAR."""

    def __init__(self, var, programs):
        self.var = var
        make_folder(var)
        save_clock(var / "clock.json", Clock(0, 0, 60))
        write_programs(var, programs)
        (var / "run" / "supervisord.conf").write_text(render(programs, as_root=os.geteuid() == 0))
        journal.begin(var)
        reading, writing = os.pipe()
        self.terminal = reading
        environment = {
            **os.environ,
            "VAR": str(var),
            OURS: str(var),
            "PLATFORM_TERMINAL": str(writing),
            "PLATFORM_PYTHON": sys.executable,
            "PLATFORM_CHILD": child.__file__,
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tradingplatform.launcher.supervise"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
            text=True,
            start_new_session=True,
        )
        os.close(writing)

    def events(self, name):
        lines = [json.loads(line) for line in journal.journal_path(self.var).read_text().splitlines()]
        return [event for event in lines if event["name"] == name]

    def pid(self, name):
        """Of the program that is up, past its wait; 0 while there is none."""
        events = self.events(name)
        if not events or events[-1]["cause"]:
            return 0
        try:
            words = psutil.Process(events[-1]["pid"]).cmdline()
        except psutil.Error:
            return 0
        return events[-1]["pid"] if words and "child.py" not in " ".join(words) else 0

    def family(self):
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self, number=signal.SIGINT):
        began = time.monotonic()
        self.process.send_signal(number)
        told, _ = self.process.communicate(timeout=30)
        return told, time.monotonic() - began


@pytest.fixture
def run(tmp_path):
    started = []

    def start(*programs, folder="var"):
        started.append(Run(tmp_path / folder, list(programs)))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            for process in each.family():
                process.kill()
            each.process.kill()
            each.process.communicate()
        os.close(each.terminal)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_every_way_to_stop_stops_all_in_order(run, number):
    ours = run(program("base", SLEEPS, "base"), program("work", STUBBORN), program("front", SLEEPS, "front"))
    until(lambda: all(ours.pid(name) for name in ("base", "work", "front")) and len(ours.family()) == 4)
    family = ours.family()

    told, took = ours.stop(number)

    assert ours.process.returncode == 0
    assert told.startswith("Stopping ...\nStopped after ")
    assert took < 10
    assert [process for process in family if lives(process)] == []
    ends = [ours.events(name)[-1] for name in ("front", "work", "base")]
    assert [end["at"] for end in ends] == sorted(end["at"] for end in ends)
    assert [end["cause"] for end in ends] == ["signal 15, SIGTERM", "signal 9, SIGKILL", "signal 15, SIGTERM"]
    assert abs(marketclock.read_mark(ours.var) - time.time() * 1000 * 60) < 60 * 2000


def test_a_killed_program_is_back_while_the_others_stay(run):
    ours = run(program("one", SLEEPS), program("two", SLEEPS))
    until(lambda: ours.pid("one") and ours.pid("two"))
    one, two = ours.pid("one"), ours.pid("two")

    os.kill(one, signal.SIGKILL)
    killed_at = time.monotonic()
    until(lambda: ours.pid("one") not in (0, one))

    assert time.monotonic() - killed_at < 5
    assert ours.pid("two") == two
    assert [event["cause"] for event in ours.events("one")] == ["", "signal 9, SIGKILL", ""]


def test_one_that_dies_at_once_is_started_again_for_ever_but_not_in_a_circle(run):
    ours = run(program("broken", "raise SystemExit(3)"))

    until(lambda: len(ours.events("broken")) >= 8)

    starts = [event["at"] for event in ours.events("broken") if not event["cause"]]
    assert all(later - earlier > child.PAUSE_S for earlier, later in itertools.pairwise(starts[1:]))
    assert {event["cause"] for event in ours.events("broken")} == {"", "exit code 3"}


def test_a_program_waits_for_what_it_needs(run, tmp_path):
    from tradingplatform.launcher.preflight import free_port

    port = free_port()
    ours = run(program("needs", SLEEPS, after=[f"http:{port}"]))
    until(lambda: ours.events("needs"))
    time.sleep(0.5)
    assert ours.pid("needs") == 0

    server = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"],
        stderr=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        cwd=tmp_path,
    )
    try:
        until(lambda: ours.pid("needs"))
    finally:
        server.kill()
        server.wait()
    assert len(ours.events("needs")) == 1


def test_only_the_narrator_gets_the_terminal(run):
    ours = run(program("loud", TELLS, on_terminal=True), program("quiet", TELLS))
    quiet = ours.var / "log" / "quiet.log"
    until(lambda: quiet.exists() and "Bad file descriptor" in quiet.read_text())

    assert os.read(ours.terminal, 100) == b"hello terminal"


def test_a_folder_with_an_odd_name(run):
    ours = run(program("one", SLEEPS), folder='50% off; "now" #1')

    until(lambda: ours.pid("one"))

    assert ours.stop()[0].startswith("Stopping")
