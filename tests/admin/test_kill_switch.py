"""The kill switch's page: who may pull it, what has to be typed, and what it leaves behind."""

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from notifications.models import AuditEntry
from risk.halts import raise_halt
from risk.models import Halt
from tests.factories import make_bot, now_at

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired_exchange")]

ADDRESS = "admin:risk_halt_kill_switch"
NOW = now_at()


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client


def halt_form(**changes):
    form = {"scope": "everything", "reason": "a strange market", "confirmation": "HALT"} | changes
    return {"act": "halt"} | {f"halt-{name}": value for name, value in form.items()}


def resume_form(scope, reason="it is over"):
    return {"act": "resume", "resume-scope": scope, "resume-reason": reason}


def test_it_is_found_in_the_menu_and_on_the_first_page(operator):
    html = operator.get(reverse("admin:index")).content.decode()
    assert html.count(f'href="{reverse(ADDRESS)}"') >= 2


def test_one_act_halts_everything_and_is_audited_with_the_address(operator):
    make_bot()
    assert "Nothing is halted" in operator.get(reverse(ADDRESS)).content.decode()
    answer = operator.post(reverse(ADDRESS), halt_form(), REMOTE_ADDR="10.0.0.9", follow=True)
    assert "HALTED: everything enters nothing any more" in answer.content.decode()
    halt = Halt.objects.get()
    assert (halt.account, halt.bot, halt.cause, halt.closes) == (None, None, "operator", False)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.actor) == ("halt", "everything", "operator")
    assert (entry.address, entry.reason) == ("10.0.0.9", "a strange market")


def test_what_is_held_is_sold_when_that_is_ticked(operator):
    bot = make_bot()
    operator.post(reverse(ADDRESS), halt_form(scope=f"bot:{bot.pk}", closes="on"))
    assert (Halt.objects.get().bot, Halt.objects.get().closes) == (bot, True)
    operator.post(reverse(ADDRESS), halt_form(scope=f"account:{bot.account_id}"))
    assert Halt.objects.filter(account=bot.account, bot=None, closes=False).exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"confirmation": "halt"}, "type HALT, in capitals"),
        ({"confirmation": ""}, "required"),
        ({"reason": " "}, "required"),
        ({"scope": "bot:4711"}, "valid choice"),
    ],
    ids=["small letters", "nothing typed", "no reason", "an unknown bot"],
)
def test_what_is_not_confirmed_halts_nothing(operator, changes, words):
    html = operator.post(reverse(ADDRESS), halt_form(**changes)).content.decode()
    assert words in html
    assert not Halt.objects.exists()


def test_looking_at_the_page_does_nothing(operator):
    operator.get(reverse(ADDRESS), halt_form())
    assert not Halt.objects.exists()


def test_it_is_resumed_for_a_reason(operator):
    make_bot()
    operator.post(reverse(ADDRESS), halt_form())
    operator.post(reverse(ADDRESS), resume_form("everything", reason=" "))
    assert Halt.objects.filter(cleared_at=None).exists()
    operator.post(reverse(ADDRESS), resume_form("everything"))
    halt = Halt.objects.get()
    assert (halt.cleared_by, halt.clear_reason) == ("operator", "it is over")


def test_what_a_check_halted_is_shown_and_not_offered(operator):
    bot = make_bot()
    raise_halt(bot.account, bot, "drawdown", "fell too far", {}, NOW)
    html = operator.get(reverse(ADDRESS)).content.decode()
    assert "fell too far" in html
    assert 'value="resume"' not in html
    operator.post(reverse(ADDRESS), resume_form(f"bot:{bot.pk}"))
    assert Halt.objects.filter(cleared_at=None).count() == 1


def staff(client, *permissions):
    user = User.objects.create_user("guest", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="risk", codename__in=permissions))
    client.force_login(user)
    return client


def test_without_the_right_nothing_happens(client):
    assert client.post(reverse(ADDRESS), halt_form()).status_code == 302  # to the login
    assert staff(client).get(reverse(ADDRESS)).status_code == 403
    assert not Halt.objects.exists()


def test_seeing_halting_and_resuming_are_three_rights(client):
    make_bot()
    guest = staff(client, "view_halt")
    html = guest.get(reverse(ADDRESS)).content.decode()
    assert 'value="halt"' not in html
    assert guest.post(reverse(ADDRESS), halt_form()).status_code == 403
    assert not Halt.objects.exists()
    User.objects.get().user_permissions.add(Permission.objects.get(codename="add_halt"))
    guest.post(reverse(ADDRESS), halt_form())
    assert Halt.objects.filter(cleared_at=None).exists()
    assert guest.post(reverse(ADDRESS), resume_form("everything")).status_code == 403
    assert Halt.objects.filter(cleared_at=None).exists()


def test_a_form_from_elsewhere_is_refused():
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    assert client.post(reverse(ADDRESS), halt_form()).status_code == 403
    assert not Halt.objects.exists()
