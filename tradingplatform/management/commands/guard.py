"""``manage.py guard``: look after what is held, and at what is seen of the market, until SIGTERM or SIGINT."""

import signal
from threading import Event
from typing import Any

import structlog
from django.core.management.base import BaseCommand

from tradingplatform.guard import Guard
from tradingplatform.patience import wait_briefly_for_the_database
from tradingplatform.wiring import platform

log = structlog.get_logger()


class Command(BaseCommand):
    help = "Between ticks: mark positions at live prices, and tell of stale data and of trouble with the exchange"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Stops between two looks."""
        stop = Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        wait_briefly_for_the_database()
        log.info("guard_started")
        Guard(platform()).run(stop)
        log.info("guard_stopped")
