"""``manage.py reconcile``: see to what is held, and compare with the exchange, until SIGTERM or SIGINT."""

from threading import Event

from tradingplatform.management.service import ServiceCommand
from tradingplatform.reconciler import Reconciler
from tradingplatform.wiring import new_platform


class Command(ServiceCommand):
    help = "Settle orders, protect live positions, enforce stops, and compare the books with the exchange's"
    name = "reconciler"

    def work(self, stop: Event) -> None:
        """Stops when what is under way has ended."""
        Reconciler(new_platform).run(stop)
