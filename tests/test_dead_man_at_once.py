"""Several people, or one who clicks twice, at the very same moment."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection, transaction

from bots.models import Bot
from notifications.models import AuditEntry, Event
from risk.deadman_watch import watch
from risk.models import DeadMansSwitch
from tests.factories import make_account, make_bot, now_at
from tradingplatform.acting import By
from tradingplatform.dead_man import challenge, check_in, reset_switch

pytestmark = pytest.mark.django_db(transaction=True)
NOW = now_at()
HANDS = 4


def at_once(act: Callable[[], object]) -> list[str]:
    """What each of several threads had refused; empty where it was done."""
    together = Barrier(HANDS)

    def one(_: int) -> str:
        try:
            together.wait(10)
            act()
        except ValueError as refusal:
            return str(refusal)
        finally:
            connection.close()
        return ""

    with ThreadPoolExecutor(HANDS) as pool:
        return list(pool.map(one, range(HANDS)))


def test_one_code_is_one_check_in():
    make_account()
    by = By("ann", NOW)
    code = challenge(by).code
    answers = at_once(lambda: check_in(by, code))
    assert answers.count("") == 1
    assert AuditEntry.objects.filter(action="check_in").count() == 1
    assert Event.objects.filter(kind="checked_in").count() == 1


def test_one_trigger_has_one_reset():
    make_bot()
    DeadMansSwitch.objects.update(latched_at=NOW.wall_at)
    answers = at_once(lambda: reset_switch(By("ann", NOW, "slept"), NOW.wall_at))
    assert answers.count("") == 1
    assert AuditEntry.objects.filter(action="reset_switch").count() == 1
    assert Event.objects.filter(kind="bot_paused").count() == 1
    assert Bot.objects.get().status == "PAUSED"


def test_beat_and_guard_tell_everything_once():
    make_account()
    long_ago = NOW.wall_at - timedelta(hours=25)
    DeadMansSwitch.objects.update(last_checkin_at=long_ago, high_water_at=long_ago)

    def look() -> None:
        with transaction.atomic():
            watch(NOW)

    assert at_once(look) == [""] * HANDS
    assert list(Event.objects.values_list("kind", flat=True)) == ["dead_man_triggered"]
    DeadMansSwitch.objects.update(alarmed_at=NOW.wall_at - timedelta(minutes=15))
    at_once(look)
    assert Event.objects.filter(kind="dead_man_still_triggered").count() == 1
