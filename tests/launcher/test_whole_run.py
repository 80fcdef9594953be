"""The real thing, in a terminal: everything up, a death, a second start refused, Ctrl-C, nothing left."""

import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from market.clock import load_clock
from tests.launcher.test_preflight import VARIABLES, launch
from tradingplatform.environment import ROOT
from tradingplatform.launcher import journal, marketclock
from tradingplatform.launcher.folder import OURS
from tradingplatform.launcher.preflight import free_port

pytestmark = pytest.mark.process
PATIENCE_S = 120  # for a start; the machine also runs the other tests


class Terminal:
    """A pseudo-terminal with the launcher in its foreground."""

    def __init__(self, var, port, begin=lambda: None):
        """``begin`` is called in the launcher's process before it becomes the launcher."""
        self.var, self.text = var, ""
        environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        master, slave = pty.openpty()
        self.master = master
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tradingplatform.launcher"],
            cwd=ROOT,
            env={**environment, "VAR": str(var), "PORT": str(port), "TERM": "xterm", "SEED": "3"},
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=lambda: (_controlling_terminal(), begin()),  # noqa: PLW1509 - system calls, before any thread
        )
        os.close(slave)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                return

    def press_ctrl_c(self):
        os.write(self.master, b"\x03")

    def until(self, condition, patience_s=PATIENCE_S):
        deadline = time.monotonic() + patience_s
        while not (found := condition()):
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.1)
        return found

    def pid(self, name):
        lines = journal.journal_path(self.var).read_text().splitlines()
        events = [event for event in map(json.loads, lines) if event["name"] == name]
        return events[-1]["pid"] if events and not events[-1]["cause"] else 0


def _controlling_terminal():
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def processes_of(var):
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(OURS) == str(var):
                found.append(process)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def terminal(tmp_path):
    ours = Terminal(tmp_path / "var", free_port())
    yield ours
    if ours.process.poll() is None:
        ours.process.kill()
        ours.process.wait()
    for process in processes_of(ours.var):
        process.kill()
    os.close(ours.master)


def test_a_day_of_the_platform(terminal):
    terminal.until(lambda: "Everything is up" in terminal.text)
    workers = ("trading", "housekeeping")
    for name in ("redis", "exchange", *workers, "beat", "guard", "reconciler", "sweeper", "web", "narrator"):
        assert re.search(rf"✓.* {name} +pid {terminal.pid(name)} ", terminal.text), terminal.text
    assert "Password" in terminal.text
    terminal.until(lambda: "\r\x1b[Kmarket 20" in terminal.text)
    assert "Traceback" not in terminal.text

    refused = launch(VAR=str(terminal.var))
    assert refused.returncode == 1
    assert f"already running on VAR={terminal.var} (pid {terminal.process.pid}, " in refused.stderr

    others = {
        name: terminal.pid(name)
        for name in ("redis", "exchange", "beat", "guard", "reconciler", "sweeper", "web", "narrator")
    }
    os.kill(terminal.pid("trading"), signal.SIGKILL)
    terminal.until(lambda: "trading is back with pid" in terminal.text, 60)
    assert "trading died (signal 9, SIGKILL), restarting it" in terminal.text
    assert {name: terminal.pid(name) for name in others} == others

    began = time.monotonic()
    terminal.press_ctrl_c()
    terminal.process.wait(30)
    took = time.monotonic() - began
    assert terminal.process.returncode == 0
    assert took < 10
    assert processes_of(terminal.var) == []
    assert "Stopped after" in terminal.text
    assert f"`make run VAR={terminal.var}` goes on from here" in terminal.text
    clock = load_clock(terminal.var / "clock.json")
    assert 0 <= clock.now().market_ms - marketclock.read_mark(terminal.var) < 60_000 * took


def test_a_stop_that_comes_while_nobody_listens_is_heard_later(tmp_path):
    """Between the launcher and the supervisor a Ctrl-C finds nobody; it waits, instead of being lost."""

    def press_too_early():
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        os.kill(os.getpid(), signal.SIGINT)

    terminal = Terminal(tmp_path / "var", free_port(), press_too_early)
    try:
        assert terminal.process.wait(PATIENCE_S) == 0
        assert "starting the processes" in terminal.text
        assert "Stopped after" in terminal.text
        assert processes_of(terminal.var) == []
    finally:
        terminal.process.kill()
        terminal.process.wait()
        os.close(terminal.master)


def test_a_killed_supervisor(terminal):
    """Its children go on; the next start stops them, and market time does not go back."""
    terminal.until(lambda: "starting the processes" in terminal.text)
    terminal.until(lambda: journal.journal_path(terminal.var).exists() and terminal.pid("narrator"), 30)
    terminal.until(lambda: marketclock.read_mark(terminal.var), 30)
    terminal.process.kill()
    terminal.process.wait()
    assert processes_of(terminal.var)
    seen = marketclock.read_mark(terminal.var)

    again = Terminal(terminal.var, free_port())
    try:
        again.until(lambda: "starting the processes" in again.text)
        assert "An earlier run was killed; stopped what it left behind:" in again.text
        assert load_clock(terminal.var / "clock.json").origin_market_ms >= seen
        again.press_ctrl_c()
        again.process.wait(30)
        assert processes_of(terminal.var) == []
    finally:
        again.process.kill()
        again.process.wait()
        os.close(again.master)
