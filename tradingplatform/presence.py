"""Long-running processes say when they are ready, and when they leave in order. Of one that died without a word, the
next one of its name tells.

It is said in a thread with a database connection of its own, and nobody waits for it for long: a database that is
locked or away keeps no process from starting or stopping. The connection is closed at once, because workers fork.
"""

import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

import psutil
import structlog
from celery.signals import beat_init, worker_ready, worker_shutdown
from django.conf import settings
from django.db import connection, transaction

from market.clock import Now, load_clock
from notifications.events import publish
from notifications.models import Event, Severity
from tradingplatform.event_kinds import ProcessDown, ProcessUp
from tradingplatform.version import project_version

log = structlog.get_logger()

PATIENCE_S = 0.7
"""How long a process that stops waits for its last word, wall time: beat is killed two seconds after it is told to."""


class Presence:
    """This process as the others see it. ``name``: as the launcher calls it."""

    def __init__(self, name: str) -> None:
        self._name, self._host, self._pid = name, platform.node(), os.getpid()
        self._began_s = time.monotonic()
        self._speaking: Thread | None = None

    def up(self) -> None:
        """Say that it is ready."""
        self._speak(self._say_up)

    def down(self) -> None:
        """Say that it leaves in order."""
        self._speak(self._say_down).join(PATIENCE_S)

    def _speak(self, say: Callable[[Now], None]) -> Thread:
        before = self._speaking

        def work() -> None:
            try:
                if before is not None:
                    before.join(PATIENCE_S)
                with transaction.atomic():
                    say(load_clock(settings.CLOCK_FILE).now())
            except Exception as error:  # whatever it is: nothing depends on this
                log.warning("presence_not_told", process=self._name, error=f"{type(error).__name__}: {error}")
            finally:
                connection.close()  # this thread's own

        self._speaking = Thread(target=work, name="presence", daemon=True)
        self._speaking.start()
        return self._speaking

    def _say_up(self, now: Now) -> None:
        ours, about = (self._name, self._host, self._pid, project_version()), f"{self._name} on {self._host}"
        payload, text = ProcessUp(*ours), f"{about} is up (pid {self._pid})"
        dead = find_dead(self._name, self._host)
        if dead is not None:
            pid, since = dead.payload["pid"], f"{dead.wall_at:%Y-%m-%d %H:%M:%S} UTC"
            payload = ProcessUp(*ours, pid, dead.wall_at)
            text = f"{about} is back; the one before it (pid {pid}, up since {since}) died without a word"
        severity = Severity.INFO if dead is None else Severity.WARNING
        publish(payload, text, severity=severity, market_at=now.market_at, wall_at=now.wall_at)

    def _say_down(self, now: Now) -> None:
        uptime_s = round(time.monotonic() - self._began_s, 1)
        text = f"{self._name} on {self._host} is down (pid {self._pid}), it was up for {uptime_s:g} s"
        payload = ProcessDown(self._name, self._host, self._pid, uptime_s)
        publish(payload, text, market_at=now.market_at, wall_at=now.wall_at)


def find_dead(name: str, host: str) -> Event | None:
    """What the last process of this name on this host said when it came up; None if it lives, or said that it left."""
    both = Event.objects.filter(kind__in=(ProcessUp.kind, ProcessDown.kind), payload__name=name, payload__host=host)
    last = both.order_by("-id").first()
    return None if last is None or last.kind == ProcessDown.kind or _lives(last) else last


def _lives(up: Event) -> bool:
    """Whether it is still there: a second one of its name may run beside it. A number that is used again belongs to a
    process that began later."""
    try:
        process = psutil.Process(up.payload["pid"])
        begun = process.pid != os.getpid() and process.create_time() <= up.wall_at.timestamp()
        return begun and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


_own: list[Presence] = []


def arrive(name: str) -> None:
    """This process is ready."""
    _own[:] = [Presence(name)]
    _own[0].up()


def leave() -> None:
    """This process ends in order. Nothing where it never arrived, or has said so."""
    while _own:
        _own.pop().down()


@contextmanager
def present(name: str) -> Iterator[None]:
    """Ready as long as the block lasts. One that ends with an error has not left in order."""
    arrive(name)
    yield
    leave()


@worker_ready.connect
def _worker_is_ready(sender: Any, **_: object) -> None:
    """In the main process of its pool. Its node is NAME@HOST."""
    arrive(str(sender.hostname).partition("@")[0])


@worker_shutdown.connect
def _worker_leaves(**_: object) -> None:
    leave()


@beat_init.connect
def _beat_is_ready(**_: object) -> None:
    arrive("beat")  # its scheduler says when it leaves (beat.py)
