"""Tells the terminal what the platform does: who is up, who died and is back, and one live line about the market.

It holds the terminal itself (see ``supervise``), so a blocked terminal blocks nobody else. It also keeps the mark of
the last market moment seen (see ``marketclock``), in a thread that nothing else can hold up.
"""

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from market.clock import Clock, load_clock
from tradingplatform.launcher import marketclock
from tradingplatform.launcher.alarms import Alarms
from tradingplatform.launcher.background import Background
from tradingplatform.launcher.household import Household
from tradingplatform.launcher.journal import Reader
from tradingplatform.launcher.probes import is_at_work, ping_workers
from tradingplatform.launcher.programs import Program, read_programs
from tradingplatform.launcher.screen import Screen
from tradingplatform.launcher.summary import summary
from tradingplatform.typed import make

LOOK_EVERY_S = 0.2
LIVE_EVERY_S = 2.0  # the line that is redrawn in place
ALARMS_EVERY_S = 2.0
LINE_EVERY_S = 30.0  # a line each where nothing can be redrawn
OVERDUE_S = 30.0

Answer = TypeVar("Answer")
_setting_up = threading.Lock()


class Narrator:
    """One per run; a new one takes over from one that died."""

    def __init__(self, var: Path, clock: Clock, programs: list[Program], screen: Screen) -> None:
        self.var, self.clock, self.screen = var, clock, screen
        self.household = Household(programs)
        self.reader = Reader(var)
        self.workers = Background(ping_workers, 0.3)
        self.status = Background(read_status, LIVE_EVERY_S if screen.live else LINE_EVERY_S / 2, rest=10)
        self.started = float(os.environ["PLATFORM_STARTED"])
        self.alarms = Alarms(var, self.started)
        self.alarm_watch = Background(lambda: with_database(self.alarms.look), ALARMS_EVERY_S)
        self.greeted = self.overdue_told = False
        self.drawn_at = 0.0

    def run(self) -> None:
        history = list(self.reader.news())
        self.household.catch_up(history)
        self.greeted = any(event.name == "narrator" and event.cause for event in history)
        supervisor = os.getppid()
        while os.getppid() == supervisor:
            self.look()
            time.sleep(LOOK_EVERY_S)
        # The supervisor was killed. The others go on, and so does the mark; the next `make run` stops them all.
        self.screen.close()
        signal.pause()

    def look(self) -> None:
        for event in self.reader.news():
            for line in self.household.happened(event):
                self.screen.line(line)
                self.workers.latest = None  # an old answer says nothing about a new process
        waiting = self.household.waiting()
        self.workers.wanted = any(member.program.sign == "worker" for member in waiting)
        for member in waiting:
            if is_at_work(member, self.workers.latest or set()):
                line = self.household.works(member.program.name, time.time())
                if line:
                    self.screen.line(line)
        self._greet()
        self._alarm()
        self._draw()

    def _alarm(self) -> None:
        """Wanted from the moment the others had their chance to start: loading Django takes a second of theirs."""
        self.alarm_watch.wanted = self.greeted or self.overdue_told
        for number, line in self.alarms.news():
            self.screen.line(line)
            with contextlib.suppress(OSError):
                self.alarms.told(number)

    def _greet(self) -> None:
        took = time.time() - self.started
        if self.household.complete and not self.greeted:
            self.greeted = True
            for line in greeting(os.environ["PORT"], self.var, took):
                self.screen.line(line)
        elif took > OVERDUE_S and not self.greeted and not self.overdue_told:
            self.overdue_told = True
            missing = [member.program.name for member in self.household.members.values() if not member.up]
            self.screen.line(f"  still waiting for {', '.join(missing)}: see {self.var / 'log'}/")

    def _draw(self) -> None:
        self.status.wanted = self.greeted
        every = LIVE_EVERY_S / 2 if self.screen.live else LINE_EVERY_S
        if not self.greeted or time.monotonic() - self.drawn_at < every:
            return
        if self.status.error:
            text = f"the status cannot be read at the moment ({type(self.status.error).__name__})"
        elif self.status.latest is None:
            return
        else:
            text = summary(self.status.latest, self.clock.now().market_at, self.screen.width())
        self.drawn_at = time.monotonic()
        self.screen.live_line(text)


def greeting(port: str, var: Path, took: float) -> list[str]:
    """What to do next."""
    return [
        "",
        f"  Everything is up after {took:.0f} s.",
        f"  Console   http://127.0.0.1:{port}/",
        f"  Status    {make('status', var)}, in a second terminal",
        f"  Logs      {var / 'log'}/",
        "  Stop      Ctrl-C",
        "",
    ]


def read_status() -> dict[str, object]:
    """What ``manage.py status --json`` tells."""

    def read() -> dict[str, object]:
        from tradingplatform import status

        return status.read_status()

    return with_database(read)


def with_database(read: Callable[[], Answer]) -> Answer:
    """With Django set up, in any thread. Raises what ``read`` raises."""
    import django
    from django.apps import apps
    from django.db import connection

    with _setting_up:
        if not apps.ready:
            django.setup()
    try:
        return read()
    except Exception:
        connection.close()  # the next attempt gets a fresh one
        raise


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # `stty tostop` must not stop whoever keeps the mark
    var = Path(os.environ["VAR"])
    clock = load_clock(var / "clock.json")
    keeper = Background(lambda: marketclock.mark_ahead(var, clock, marketclock.wall_now_ms()), 1.0)
    keeper.wanted = True
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tradingplatform.settings")
    Narrator(var, clock, read_programs(var), Screen(int(os.environ["PLATFORM_TERMINAL"]))).run()


if __name__ == "__main__":
    main()
