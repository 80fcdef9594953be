"""Everything about one slot of a bot: what ``why`` tells, its events, and the log lines of every process."""

from typing import Any

from django.conf import settings

from tradingplatform.explain.find import with_events_and_log
from tradingplatform.explain.show import page_of
from tradingplatform.management.commands import why


class Command(why.Command):
    help = "What why tells, with every event of the slot and every line of the logs about it. Also while nothing runs."

    def complete(self, told: dict[str, Any]) -> dict[str, Any]:
        return with_events_and_log(told, settings.VAR / "log")

    def table(self, told: dict[str, Any]) -> str:
        return page_of(super().table(told), told)
