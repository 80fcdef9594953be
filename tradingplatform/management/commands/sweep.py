"""``manage.py sweep``: run the sweeper until SIGTERM or SIGINT."""

import signal
from threading import Event
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from tradingplatform.celery import app
from tradingplatform.patience import wait_briefly_for_the_database
from tradingplatform.sweeper import Sweeper

log = structlog.get_logger()


class Command(BaseCommand):
    help = "Ring again for bots whose slot nobody has claimed: a process of its own, next to beat"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stops within a second: it waits on the event, and no call to database or broker takes longer."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        wait_briefly_for_the_database()
        log.info("sweeper_started")
        Sweeper(app).run(stop)
        log.info("sweeper_stopped")
