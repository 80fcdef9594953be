"""LIVE accounts in the console: made elsewhere, their key is replaced here and never shown."""

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from bots.field_keys import UnreadableSecret
from bots.models import Bot, ExchangeAccount
from notifications.models import AuditEntry, Event
from tests.accounts.conftest import field_keys, live_account  # noqa: F401  (fixtures)
from tests.admin.test_bots import edit, errors_of, of
from tests.factories import make_account, make_bot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired_exchange")]

NEW = "planted-new-secret"
KEYS = {"new_api_key": "", "new_api_secret": ""}


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client


def page(client, account):
    return client.get(reverse("admin:bots_exchangeaccount_change", args=[account.pk])).content.decode()


def test_the_key_is_replaced_and_audited_without_it(operator, live_account):  # noqa: F811
    before = live_account.fingerprint
    answer = edit(operator, live_account, {"name": "live", "new_api_key": "another-key", "new_api_secret": NEW})
    assert answer.status_code == 302, errors_of(answer)
    account = ExchangeAccount.objects.get()
    assert (account.api_key.reveal(), account.api_secret.reveal()) == ("another-key", NEW)
    assert account.fingerprint != before
    event = Event.objects.get(kind="exchange_account_edited")
    assert event.payload["actor"] == "operator"
    assert event.payload["changes"] == {
        "new_api_key": {"from": None, "to": "***"},
        "new_api_secret": {"from": None, "to": "***"},
    }
    entry = AuditEntry.objects.get(action="replace_key")
    assert (entry.before, entry.after) == ({"key": before}, {"key": account.fingerprint})
    for shown in (page(operator, account), operator.get(reverse("admin:index")).content.decode(), str(vars(event))):
        assert NEW not in shown
        assert "another-key" not in shown


def test_empty_inputs_leave_the_key_as_it_is(operator, live_account):  # noqa: F811
    assert edit(operator, live_account, {"name": "renamed", **KEYS}).status_code == 302
    account = ExchangeAccount.objects.get()
    assert (account.name, account.api_key.reveal(), account.api_secret.reveal()) == ("renamed", "key", "secret")
    assert list(Event.objects.get(kind="exchange_account_edited").payload["changes"]) == ["name"]


def test_what_was_typed_is_not_sent_back_with_an_error(operator, live_account):  # noqa: F811
    answer = edit(operator, live_account, {"name": "", "new_api_key": "", "new_api_secret": NEW})
    assert errors_of(answer)["name"]
    assert NEW not in answer.content.decode()
    assert ExchangeAccount.objects.get().api_secret.reveal() == "secret"


def test_the_page_shows_a_fingerprint(operator, live_account):  # noqa: F811
    shown = page(operator, live_account)
    assert live_account.fingerprint in shown
    assert live_account.api_key.token not in shown
    assert 'name="new_api_secret"' in shown
    assert 'name="mode"' not in shown


def test_a_key_that_cannot_be_read_is_told_and_replaced(operator, live_account, field_keys):  # noqa: F811
    field_keys.unlink()
    assert "unreadable: there is no key in" in page(operator, live_account)
    assert edit(operator, live_account, {"name": "live", "new_api_key": "k2", "new_api_secret": NEW}).status_code == 302
    assert ExchangeAccount.objects.get().api_key.reveal() == "k2"


def test_a_paper_account_has_no_key_to_replace(operator):
    account = make_account()
    assert "new_api_key" not in page(operator, account)
    edit(operator, account, {"name": "p", "new_api_key": "k", "new_api_secret": NEW})
    assert not ExchangeAccount.objects.get().api_key


def test_replacing_a_key_is_a_permission_of_its_own(client, live_account):  # noqa: F811
    clerk = User.objects.create_user("clerk", password="a long one", is_staff=True)
    for name in ("view_exchangeaccount", "change_exchangeaccount"):
        clerk.user_permissions.add(Permission.objects.get(codename=name))
    client.force_login(clerk)
    assert "new_api_key" not in page(client, live_account)
    edit(client, live_account, {"name": "live", "new_api_key": "k", "new_api_secret": NEW})
    assert ExchangeAccount.objects.get().api_key.reveal() == "key"
    clerk.user_permissions.add(Permission.objects.get(codename="replace_keys"))
    assert "new_api_key" in page(client, live_account)


def test_a_bot_moved_by_hand_loses_its_leave(operator, live_account):  # noqa: F811
    bot = make_bot(live_account, live=True)
    answer = edit(operator, bot, of(bot, account=make_account().pk))
    assert answer.status_code == 302, errors_of(answer)
    assert not Bot.objects.get().live


def test_a_wrong_key_names_what_to_do(live_account, field_keys):  # noqa: F811
    field_keys.unlink()
    with pytest.raises(UnreadableSecret, match="restore the one that the secrets were stored with"):
        ExchangeAccount.objects.get().api_key.reveal()
