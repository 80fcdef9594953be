"""``manage.py sweep``: run the sweeper until SIGTERM or SIGINT."""

from threading import Event

from tradingplatform.celery import app
from tradingplatform.management.service import ServiceCommand
from tradingplatform.sweeper import Sweeper


class Command(ServiceCommand):
    help = "Ring again for bots whose slot nobody has claimed: a process of its own, next to beat"
    name = "sweeper"

    def work(self, stop: Event) -> None:
        """Stops within a second: it waits on the event, and no call to database or broker takes longer."""
        Sweeper(app).run(stop)
