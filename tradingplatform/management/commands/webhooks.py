"""``manage.py webhooks``: deliver events to the webhooks of WEBHOOKS, until SIGTERM or SIGINT."""

from datetime import datetime
from threading import Event, Thread

from django.conf import settings
from django.core.management.base import CommandError

from market.clock import load_clock
from notifications.cursors import Reader, let_go
from notifications.models import Cursor
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
        take_over([hook.subscriber for hook in hooks])
        holder = new_token()
        threads = [Thread(target=Delivery(hook, holder, _now).run, args=(stop,), name=hook.name) for hook in hooks]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join()


def take_over(subscribers: list[str]) -> None:
    """What a killed process of this machine held need not wait for its lease to end."""
    for cursor in Cursor.objects.filter(pk__in=subscribers).exclude(holder=""):
        if is_gone(cursor.holder):
            let_go(Reader(cursor.name, cursor.holder))


def _now() -> tuple[datetime, datetime]:
    now = load_clock(settings.CLOCK_FILE).now()
    return now.market_at, now.wall_at
