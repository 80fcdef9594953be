"""``manage.py webhooks``: deliver events to the webhooks of WEBHOOKS, until SIGTERM or SIGINT."""

from datetime import datetime
from threading import Event, Thread

from django.conf import settings
from django.core.management.base import CommandError

from market.clock import load_clock
from notifications.holding import Process
from notifications.webhooks.config import BadWebhooks, read_hooks
from notifications.webhooks.delivery import Delivery
from tradingplatform.environment import ROOT
from tradingplatform.holder import is_gone, new_token
from tradingplatform.management.service import ServiceCommand


class Command(ServiceCommand):
    help = "Deliver events to webhooks, each in order and by itself"
    name = "webhooks"

    def work(self, stop: Event) -> None:
        """A thread for each hook: one that is away delays nobody."""
        try:
            hooks = read_hooks(settings.WEBHOOKS, ROOT)
        except BadWebhooks as error:
            raise CommandError(str(error)) from None
        process = Process(new_token(), is_gone)
        threads = [Thread(target=Delivery(hook, process, _now).run, args=(stop,), name=hook.name) for hook in hooks]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join()


def _now() -> tuple[datetime, datetime]:
    now = load_clock(settings.CLOCK_FILE).now()
    return now.market_at, now.wall_at
