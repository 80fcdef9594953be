"""What a new installation needs before it can trade, made once; doing it again changes nothing."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.contrib.auth.models import User
from django.db import DatabaseError, transaction

from bots.models import Bot
from market.clock import Now
from risk.models import DeadMansSwitch
from tradingplatform.fleet.load import load_fleet
from tradingplatform.fleet.read import read_fleet
from tradingplatform.fleet.source import read_source
from tradingplatform.housekeeping import ensure_schedule, has_schedule
from tradingplatform.instruments import instruments
from tradingplatform.passwords import OPERATOR, new_password

ACTOR = "first start"


def is_needed() -> bool:
    """Whether anything is missing; also when the database has no tables yet."""
    try:
        return not (_has_switch() and Bot.objects.exists() and _has_operator() and has_schedule())
    except DatabaseError:
        return True


def first_start(fleet_file: Path, now: Now, tell: Callable[[str], object]) -> str | None:
    """Make what is missing and ``tell`` what was made. Returns the operator's password when he was made, else None.

    Raises BadFleet, ExchangeUnreachable, and ValueError for a file that cannot be read.
    """
    for line in _prepare(fleet_file, now):
        tell(line)
    ensure_schedule()
    return None if _has_operator() else new_password()


def _prepare(fleet_file: Path, now: Now) -> Iterator[str]:
    if not _has_switch():
        with transaction.atomic():
            DeadMansSwitch.objects.get_or_create(
                pk=DeadMansSwitch.SINGLETON,
                defaults={"last_checkin_at": now.wall_at, "last_checkin_by": ACTOR, "high_water_at": now.wall_at},
            )
        yield "dead man's switch: armed, 24 hours from now"
    if not Bot.objects.exists():
        fleet = read_fleet(read_source(fleet_file), fleet_file.name, instruments())
        plan = load_fleet(fleet, now, ACTOR)
        series = {(bot.symbol, bot.timeframe) for bot in fleet.bots}
        yield f"fleet: {len(plan.created)} bots on {len(series)} series from {fleet_file.name}"


def _has_switch() -> bool:
    return DeadMansSwitch.objects.exists()


def _has_operator() -> bool:
    return User.objects.filter(username=OPERATOR).exists()
