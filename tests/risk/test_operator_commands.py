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


def code_told(capsys) -> str:
    """What the command shows to who has no terminal."""
    with pytest.raises(CommandError, match=r"checkin --code \d{6}$") as told:
        call_command("checkin")
    assert "account" in capsys.readouterr().out
    return str(told.value).split()[-1]


def test_a_check_in_shows_what_is_at_stake_and_begins_the_time_anew_with_its_code(capsys):
    make_account()
    arm(hours_ago=20)
    code = code_told(capsys)
    call_command("checkin", code=code)
    assert timezone.now() - DeadMansSwitch.objects.get().last_checkin_at < timedelta(minutes=1)
    assert "Checked in" in capsys.readouterr().out
    assert Event.objects.filter(kind="checked_in").exists()
    with pytest.raises(CommandError, match="not the code shown"):
        call_command("checkin", code=code)


def test_on_a_terminal_the_code_is_asked_for(monkeypatch, capsys):
    make_account()
    arm(hours_ago=20)
    asked = []

    def person(prompt: str) -> str:
        asked.append(prompt)
        return prompt.rstrip(": ").split()[-1]

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", person)
    call_command("checkin")
    assert len(asked) == 1
    assert "Checked in" in capsys.readouterr().out


def test_a_check_in_that_comes_too_late_latches_and_only_a_reset_goes_on(capsys):
    make_account()
    arm(hours_ago=25)
    with pytest.raises(CommandError, match="reset_switch"):
        call_command("checkin")
    with pytest.raises(CommandError, match="give --confirm RESET"):
        call_command("reset_switch", reason="slept too long")
    call_command("reset_switch", reason="slept too long", confirm="RESET")
    assert DeadMansSwitch.objects.get().latched_at is None
    call_command("checkin", code=code_told(capsys))


def test_nothing_to_reset_is_said():
    arm(hours_ago=1)
    with pytest.raises(CommandError, match="has not triggered"):
        call_command("reset_switch", reason="x", confirm="RESET")


def test_without_a_switch_the_remedy_is_told():
    with pytest.raises(CommandError, match="first_start"):
        call_command("checkin")


def test_the_switch_shows_all_and_is_set_for_a_reason(capsys):
    arm(hours_ago=0.01)
    call_command("switch", timeout="15m", reason="a rehearsal")
    shown = capsys.readouterr().out
    assert "timeout        15 min" in shown
    assert "nothing is ever sold" in shown
    with pytest.raises(CommandError, match="longer than now, give --confirm 36h"):
        call_command("switch", timeout="36h", reason="a holiday")
    call_command("switch", timeout="36h", reason="a holiday", confirm="36h")
    call_command("switch", flatten_after="48", reason="I may be gone", confirm="48")
    assert "everything is sold 48 h after" in capsys.readouterr().out
    call_command("switch", flatten_after="never", reason="I am back", confirm="never")
    row = DeadMansSwitch.objects.get()
    assert (row.timeout_s, row.flatten_after_h) == (36 * 3600, None)


REFUSED = [
    ({"timeout": "8d", "reason": "x", "confirm": "8d"}, "between 0:01:00 and 7 days"),
    ({"timeout": "59s", "reason": "x"}, "between 0:01:00 and 7 days"),
    ({"timeout": "soon", "reason": "x"}, "not a length of time: give one such as 90s"),
    ({"timeout": "15m"}, "for a reason"),
    ({"flatten_after": "soon", "reason": "x", "confirm": "soon"}, "not a number of hours"),
    ({"flatten_after": "0", "reason": "x", "confirm": "0"}, "between 1 and 8760"),
    ({"flatten_after": "48", "reason": "x"}, "give --confirm 48"),
]


@pytest.mark.parametrize(("options", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_what_the_switch_is_not_set_to(options, why):
    arm(hours_ago=1)
    with pytest.raises(CommandError, match=why):
        call_command("switch", **options)
    row = DeadMansSwitch.objects.get()
    assert (row.timeout_s, row.flatten_after_h) == (86_400, None)


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
