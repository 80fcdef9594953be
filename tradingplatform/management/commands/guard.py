"""``manage.py guard``: look after what is held, and at what is seen of the market, until SIGTERM or SIGINT."""

from threading import Event

from tradingplatform.guard import Guard
from tradingplatform.management.service import ServiceCommand
from tradingplatform.wiring import platform


class Command(ServiceCommand):
    help = "Between ticks: mark positions at live prices, and tell of stale data and of trouble with the exchange"
    name = "guard"

    def work(self, stop: Event) -> None:
        """Stops between two questions to the exchange."""
        Guard(platform()).run(stop)
