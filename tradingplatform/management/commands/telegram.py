"""``manage.py telegram``: alerts and commands by Telegram, until SIGTERM or SIGINT."""

from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from market.clock import load_clock
from notifications.holding import Process
from notifications.telegram.people import read_ids, roles
from notifications.telegram.process import Setup, serve
from tradingplatform.holder import is_gone, new_token
from tradingplatform.presence import present
from tradingplatform.telegram_alerts import Composer
from tradingplatform.telegram_commands.registry import commands
from tradingplatform.telegram_kinds import read_volumes

log = structlog.get_logger()


class Command(BaseCommand):
    help = "Alerts and commands by Telegram; see docs/telegram.md"
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.TELEGRAM_TOKEN:
            raise CommandError("there is no TELEGRAM_TOKEN: ask @BotFather for one and put it into .env")
        operators, viewers = read_ids(settings.TELEGRAM_OPERATORS), read_ids(settings.TELEGRAM_VIEWERS)
        if not operators | viewers:
            log.warning("telegram_nobody", hint="TELEGRAM_OPERATORS and TELEGRAM_VIEWERS are empty: nobody is answered")
        clock = load_clock(settings.CLOCK_FILE)
        log.info("telegram_started", operators=len(operators), viewers=len(viewers - operators))
        with present("telegram"):
            serve(
                Setup(
                    token=settings.TELEGRAM_TOKEN,
                    api=settings.TELEGRAM_API,
                    people=roles(viewers, operators),
                    commands=commands(clock),
                    compose=Composer(settings.TELEGRAM_MIN_SEVERITY, read_volumes(settings.TELEGRAM_ALERTS)),
                    process=Process(new_token(), is_gone),
                    clock=clock.now,
                )
            )
        log.info("telegram_stopped")
