"""What the platform's own long-running processes share: waiting for the database, and stopping when told to."""

import signal
from threading import Event
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from tradingplatform.patience import wait_briefly_for_the_database
from tradingplatform.presence import present

log = structlog.get_logger()


class ServiceCommand(BaseCommand):
    """A process that does ``work`` until SIGTERM or SIGINT; ``name`` is how its log calls it."""

    name: str
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        wait_briefly_for_the_database()
        log.info(f"{self.name}_started")
        with present(self.name):
            self.work(stop)
        log.info(f"{self.name}_stopped")

    def work(self, stop: Event) -> None:
        """Return soon after ``stop`` is set."""
        raise NotImplementedError
