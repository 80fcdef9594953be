"""``manage.py guard``: look after what is held, and at what is seen of the market, until SIGTERM or SIGINT."""

from contextlib import suppress
from threading import Event

from django.db import Error

from tradingplatform.ai.opinion import end_what_is_off
from tradingplatform.guard import Guard
from tradingplatform.management.service import ServiceCommand
from tradingplatform.wiring import platform


class Command(ServiceCommand):
    help = "Between ticks: mark positions at live prices, and tell of stale data and of trouble with the exchange"
    name = "guard"

    def work(self, stop: Event) -> None:
        """Stops between two questions to the exchange."""
        ours = platform()
        with suppress(Error):  # no reason not to keep guard
            end_what_is_off(ours.clock.now())
        Guard(ours).run(stop)
