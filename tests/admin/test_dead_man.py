"""The page of the dead man's switch: check in, and reset."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bots.models import Bot
from notifications.models import AuditEntry, Event
from risk.models import DeadMansSwitch
from tests.factories import make_bot

pytestmark = pytest.mark.django_db
PAGE = "admin:risk_deadmansswitch_act"


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client


@pytest.fixture(autouse=True)
def bot():
    made = make_bot()
    checked_in(hours_ago=20)
    return made


def checked_in(hours_ago: float) -> None:
    at = timezone.now() - timedelta(hours=hours_ago)
    DeadMansSwitch.objects.update(last_checkin_at=at, high_water_at=at)


def page(client) -> str:
    return client.get(reverse(PAGE)).content.decode()


def code_on(html: str) -> str:
    return re.search(r'class="typed">(\d{6})<', html)[1]


def told(answer) -> str:
    return " ".join(str(message) for message in answer.context["messages"])


def test_the_page_shows_what_is_at_stake_and_takes_the_code_once(operator):
    html = page(operator)
    assert "WARNING" in html
    assert "4 h left" in html
    assert "1 bot running" in html
    assert "0 positions" in html
    code = code_on(html)
    answer = operator.post(reverse(PAGE), {"code": code}, follow=True)
    assert "Checked in" in told(answer)
    assert timezone.now() - DeadMansSwitch.objects.get().last_checkin_at < timedelta(minutes=1)
    again = operator.post(reverse(PAGE), {"code": code}, follow=True)
    assert "not the code shown" in told(again)
    assert AuditEntry.objects.get(action="check_in").address == "127.0.0.1"
    assert Event.objects.filter(kind="checkin_refused").count() == 1


def test_a_wrong_code_extends_nothing(operator):
    before = DeadMansSwitch.objects.get().last_checkin_at
    wrong = f"{(int(code_on(page(operator))) + 1) % 1_000_000:06d}"
    assert "not the code shown" in told(operator.post(reverse(PAGE), {"code": wrong}, follow=True))
    assert DeadMansSwitch.objects.get().last_checkin_at == before


def reset_form(html: str, **changes: str) -> dict[str, str]:
    latched_at = re.search(r'name="latched_at" value="([^"]+)"', html)[1]
    return {"latched_at": latched_at, "confirmation": "RESET", "reason": "slept too long", **changes}


def test_a_reset_sent_twice_is_one(operator, bot):
    checked_in(hours_ago=25)
    html = page(operator)
    assert "TRIGGERED" in html
    assert 'name="code"' not in html
    form = reset_form(html)
    assert "1 bot is paused now" in told(operator.post(reverse(PAGE), form, follow=True))
    assert "nothing to reset" in told(operator.post(reverse(PAGE), form, follow=True))
    assert Bot.objects.get().status == "PAUSED"
    assert AuditEntry.objects.filter(action="reset_switch").count() == 1


@pytest.mark.parametrize(
    "changes", [{"confirmation": "reset"}, {"reason": " "}, {"latched_at": "x"}], ids=["word", "reason", "trigger"]
)
def test_an_incomplete_reset_changes_nothing(operator, changes):
    checked_in(hours_ago=25)
    answer = operator.post(reverse(PAGE), reset_form(page(operator), **changes))
    assert answer.status_code == 200
    assert DeadMansSwitch.objects.get().latched_at is not None


def test_without_a_switch_the_page_says_so(operator):
    DeadMansSwitch.objects.all().delete()
    assert "missing or cannot be read" in page(operator)


def test_only_who_may_change_the_switch(client):
    watcher = User.objects.create_user("watcher", is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_deadmansswitch"))
    client.force_login(watcher)
    assert client.get(reverse(PAGE)).status_code == 403
    assert client.post(reverse(PAGE), {"code": "1"}).status_code == 403
    assert Client().get(reverse(PAGE)).status_code == 302


def test_a_post_from_elsewhere_is_refused():
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("operator", password="a long one"))
    assert strict.post(reverse(PAGE), {"code": "1"}).status_code == 403
