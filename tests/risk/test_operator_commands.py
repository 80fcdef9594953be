"""Check-in, reset of the switch, clearing an account's halt: as an operator types them."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from notifications.models import Event
from risk.halts import open_halts, raise_halt
from risk.models import DeadMansSwitch
from tests.factories import make_account, now_at

pytestmark = pytest.mark.django_db


def arm(hours_ago: float) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    DeadMansSwitch.objects.update_or_create(
        pk=1, defaults={"last_checkin_at": at, "last_checkin_by": "x", "high_water_at": at, "latched_at": None}
    )


def test_a_check_in_begins_the_time_anew(capsys):
    arm(hours_ago=20)
    call_command("checkin")
    assert timezone.now() - DeadMansSwitch.objects.get().last_checkin_at < timedelta(minutes=1)
    assert "Checked in" in capsys.readouterr().out
    assert Event.objects.filter(kind="checked_in").exists()


def test_a_check_in_that_comes_too_late_latches_and_only_a_reset_goes_on():
    arm(hours_ago=25)
    with pytest.raises(CommandError, match="reset_switch"):
        call_command("checkin")
    call_command("reset_switch", reason="slept too long")
    assert DeadMansSwitch.objects.get().latched_at is None
    call_command("checkin")


def test_nothing_to_reset_is_said():
    arm(hours_ago=1)
    with pytest.raises(CommandError, match="has not triggered"):
        call_command("reset_switch", reason="x")


def test_without_a_switch_the_remedy_is_told():
    with pytest.raises(CommandError, match="first_start"):
        call_command("checkin")


def test_an_accounts_halt_is_cleared_for_a_reason():
    account = make_account()
    raise_halt(account, None, "portfolio_drawdown", "deep", {}, now_at())
    with pytest.raises(CommandError, match="reason"):
        call_command("clear_halt", account.name, reason=" ")
    call_command("clear_halt", account.name, reason="looked into it")
    assert open_halts(account.pk, 0) == ()


def test_an_unknown_account_is_named():
    with pytest.raises(CommandError, match="no account 'nobody'"):
        call_command("clear_halt", "nobody", reason="x")
