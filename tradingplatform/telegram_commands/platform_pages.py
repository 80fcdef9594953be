"""Whether the platform itself is well, and which one it is: rows and page."""

import platform as machine
from importlib.metadata import version

from django.conf import settings

from market.clock import Clock
from notifications.models import Heartbeat
from notifications.standing import read_log
from notifications.telegram.markup import escape
from tradingplatform.running import platform_state
from tradingplatform.telegram_commands.fleet_pages import alarm_lines, page, switch_line
from tradingplatform.telegram_commands.fleet_rows import Overview
from tradingplatform.telegram_commands.tables import aged, pairs, table
from tradingplatform.version import project_version

SHOWN = ("django", "celery", "ccxt", "python-telegram-bot")


def health_page(seen: Overview, clock: Clock) -> str:
    now, state = seen.now, platform_state(settings.VAR, clock)
    rows = [
        ("platform", state["platform"]),
        ("last tick", f"{aged(seen.last_tick_at, now.wall_at)} ago" if seen.last_tick_at else "none yet"),
        ("failed", f"{seen.ticks_failed} ticks ever"),
        ("switch", switch_line(seen.switch)),
        *((beat.name, f"{aged(beat.wall_at, now.wall_at)} ago") for beat in Heartbeat.objects.order_by("name")),
    ]
    told = [(one.name, f"{one.behind}", f"{one.attempts}", f"{one.buried}") for one in read_log().cursors]
    reading = table(("reads the log", "behind", "tries", "lost"), told, right=" rrr") if told else ""
    unclean = [f"⚠️ {escape(account.not_clean)}" for account in seen.accounts if account.not_clean]
    alarms = list(alarm_lines(seen.halts, seen.conditions)) or ["Nothing is out of order."]
    return page("Health", pairs(rows), reading, *unclean, *alarms, now=now)


def version_page(clock: Clock) -> str:
    rows = [
        ("platform", project_version()),
        ("exchange", settings.EXCHANGE),
        ("speed", f"{clock.speed:g}"),
        ("live", "orders allowed" if settings.LIVE_TRADING else "no live orders"),
        ("python", machine.python_version()),
        *((name.removeprefix("python-"), version(name)) for name in SHOWN),
    ]
    return page("Version", pairs(rows), now=None)
