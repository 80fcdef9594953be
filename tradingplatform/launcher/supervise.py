"""The supervisor: PyPI's ``supervisor``, with what a trading platform in a terminal needs on top.

- It looks five times a second instead of once, so that a dead child is back at once and a stop does not dawdle.
- A closed terminal (SIGHUP) stops the platform in order; the original would restart everything.
- Only the narrator holds the terminal, and writes to it itself: a paused terminal (Ctrl-S) or a reader that stopped
  reading blocks one talker, never the process that has to restart a dead worker.
- It keeps a journal of starts and ends, and the exact market moment of an orderly stop.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from supervisor import events
from supervisor.medusa import asyncore_25 as asyncore
from supervisor.options import ServerOptions
from supervisor.states import ProcessStates
from supervisor.supervisord import Supervisor

from tradingplatform.launcher import journal, marketclock
from tradingplatform.launcher.broker import remove_short_folder
from tradingplatform.launcher.leftovers import stop_leftovers

LOOK_EVERY_S = 0.2
HELD = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
"""Held back by the launcher from the moment that it says it starts the processes: between two programs nobody listens,
and a Ctrl-C would be lost."""

LONGEST_PAUSE_S = 2.0  # before another attempt where a process could not be started at all


class Options(ServerOptions):  # type: ignore[misc]
    """Where supervisor asks the system."""

    def __init__(self, var: Path, terminal: int) -> None:
        super().__init__()
        self.var, self.terminal = var, terminal

    def setsignals(self) -> None:
        """From here on a stop is heard; one that came while this program was being loaded has waited (see HELD)."""
        super().setsignals()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)

    def get_signal(self) -> int | None:
        """A terminal that closed means the same as Ctrl-C."""
        number: int | None = super().get_signal()
        return signal.SIGTERM if number == signal.SIGHUP else number

    def close_fd(self, fd: int) -> bool:
        """Children get the terminal beside stdin, stdout and stderr; ``child`` keeps it from all but the narrator."""
        return True if fd == self.terminal else bool(super().close_fd(fd))

    def waitpid(self) -> tuple[int | None, int | None]:
        pid, status = super().waitpid()
        process = self.pidhistory.get(pid) if pid else None
        if process is not None:
            cause = journal.cause_of(status)
            journal.append(self.var, journal.Event(time.time(), process.config.name, pid, cause))
        return pid, status


class PlatformSupervisor(Supervisor):  # type: ignore[misc]
    """The loop."""

    def runforever(self) -> None:
        events.subscribe(events.ProcessStateRunningEvent, self._started)
        events.subscribe(events.SupervisorStoppingEvent, self._stopping)
        poll: Callable[[float], Any] = self.options.poller.poll
        self.options.poller.poll = lambda _timeout: poll(LOOK_EVERY_S)
        super().runforever()

    def tick(self, now: float | None = None) -> None:
        """A process that cannot be forked is tried again soon: the pauses of the original grow without end."""
        super().tick(now)
        latest = time.time() + LONGEST_PAUSE_S
        for group in self.process_groups.values():
            for process in group.processes.values():
                if process.state == ProcessStates.BACKOFF:
                    process.delay = min(process.delay, latest)

    def _started(self, event: Any) -> None:
        name, pid = event.process.config.name, event.process.pid
        journal.append(self.options.var, journal.Event(time.time(), name, pid))

    def _stopping(self, _event: object) -> None:
        self.stopping_since = time.monotonic()
        tell(f"{_clear_line()}Stopping ...\n")


def tell(text: str) -> None:
    """Say something without ever waiting for whoever should read it."""
    thread = threading.Thread(target=_write, args=(text,), daemon=True)
    thread.start()
    thread.join(timeout=0.3)


def _write(text: str) -> None:
    with contextlib.suppress(OSError):
        os.write(1, text.encode())


def _clear_line() -> str:
    return "\r\033[K" if os.isatty(1) else ""


def main() -> None:
    var, terminal = Path(os.environ["VAR"]), int(os.environ["PLATFORM_TERMINAL"])
    os.chdir(var)
    options = Options(var, terminal)
    options.realize(["-c", "run/supervisord.conf"])
    options.first, options.test = True, False
    platform = PlatformSupervisor(options)
    with contextlib.suppress(asyncore.ExitNow):
        platform.main()
    options.close_httpservers()
    options.close_logger()
    stop_leftovers(var)
    remove_short_folder(os.environ.get("REDIS_URL", ""), var)
    marketclock.stand_still(var, marketclock.wall_now_ms())
    again = os.environ.get("PLATFORM_AGAIN", "make run")
    took = time.monotonic() - getattr(platform, "stopping_since", time.monotonic())
    tell(f"{_clear_line()}Stopped after {took:.1f} s. Everything is kept in {var}; `{again}` goes on from here.\n")
    sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - nothing to flush into a closed terminal


if __name__ == "__main__":
    main()
