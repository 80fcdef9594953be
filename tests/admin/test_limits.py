"""Limits in the console: changed by the same act as on the command line, with problems at their fields."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from notifications.models import AuditEntry
from risk.limit_rules import names_of, plain
from risk.models import BotRiskLimits, LimitChange, PortfolioRiskLimits
from tests.admin.test_bots import edit, errors_of
from tests.factories import make_account, make_bot, now_at
from tradingplatform.acting import By
from tradingplatform.console.limits import whose
from tradingplatform.limit_acts import change_limit, kind_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client


@pytest.fixture
def limits():
    return BotRiskLimits.objects.get(bot=make_bot(name="btc-bot"))


def form(row, **changes):
    names = names_of(kind_of(whose(row)))
    return {name: plain(getattr(row, name)) for name in names} | {"reason": "a try", "confirmation": ""} | changes


def test_tightening_is_written_at_once_and_audited(operator, limits):
    assert edit(operator, limits, form(limits, max_position="0.1", streak_losses="2")).status_code == 302
    limits.refresh_from_db()
    assert (limits.max_position, limits.streak_losses) == (Decimal("0.1"), 2)
    entries = AuditEntry.objects.filter(action="limit_changed")
    assert {(entry.actor, entry.address, entry.reason) for entry in entries} == {("operator", "127.0.0.1", "a try")}
    assert entries.count() == 2


def test_loosening_is_confirmed_and_waits(operator, limits):
    wanted = form(limits, max_position="0.4")
    assert "type btc-bot to confirm it" in errors_of(edit(operator, limits, wanted))["confirmation"][0]
    assert edit(operator, limits, wanted | {"confirmation": "btc-bot"}).status_code == 302
    limits.refresh_from_db()
    assert limits.max_position == Decimal("0.25")
    page = operator.get(reverse("admin:risk_botrisklimits_change", args=[limits.pk])).content.decode()
    assert "max_position 0.4 from 20" in page


def test_all_that_waits_is_withdrawn(operator, limits):
    edit(operator, limits, form(limits, max_position="0.4", confirmation="btc-bot"))
    assert edit(operator, limits, form(limits, withdraw_waiting="on")).status_code == 302
    assert LimitChange.objects.get().withdrawn_at is not None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("max_position", "0", "must be above 0 and below 1"),
        ("max_drawdown", "1", "must be above 0 and below 1"),
        ("max_daily_loss", "25", r"0.25 is 25 %"),
        ("streak_floor", "-0.1", "must be above 0"),
        ("streak_floor", "little", "not 'little'"),
        ("streak_losses", "0", "a whole number of at least 1"),
        ("max_orders_per_minute", "2.5", "a whole number"),
        ("max_position", "", "required"),
        ("reason", "", "required"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(operator, limits, field, value, words):
    answer = edit(operator, limits, form(limits, confirmation="btc-bot", **{field: value}))
    assert words in " ".join(errors_of(answer)[field])
    assert not LimitChange.objects.exists()


def test_another_spelling_of_the_same_is_no_change(operator, limits):
    assert edit(operator, limits, form(limits, max_position="0.2500", max_drawdown="0.1")).status_code == 302
    assert [change.name for change in LimitChange.objects.all()] == ["max_drawdown"]


def test_limits_of_an_account(operator):
    limits = PortfolioRiskLimits.objects.get(account=make_account())
    assert set(errors_of(edit(operator, limits, form(limits, max_asset="1.5", max_order="0.1")))) == {"max_asset"}
    assert edit(operator, limits, form(limits, max_order="0.1", price_collar="0.01")).status_code == 302
    limits.refresh_from_db()
    assert (limits.max_order, limits.price_collar) == (Decimal("0.1"), Decimal("0.01"))


def test_what_was_changed_meanwhile_refuses_all_of_it(operator, limits, monkeypatch):
    """Somebody tightens between the judgement of the form and the act: what was tightening loosens now."""
    data = form(limits, max_drawdown="0.1", max_position="0.2")
    change_limit(limits.bot, "max_position", "0.15", By("bob", now_at(), "quick"))
    stale = BotRiskLimits.objects.select_related("bot").get(pk=limits.pk)
    stale.max_position = Decimal("0.25")
    monkeypatch.setattr("tradingplatform.console.limits.ConsoleBotLimitsAdmin.get_object", lambda *_, **__: stale)
    answer = operator.post(reverse("admin:risk_botrisklimits_change", args=[limits.pk]), data, follow=True)
    assert "Nothing was changed: not confirmed: max_position from 0.15 to 0.2 loosens it" in answer.content.decode()
    limits.refresh_from_db()
    assert (limits.max_position, limits.max_drawdown) == (Decimal("0.15"), Decimal("0.20"))


def test_who_may_only_look_changes_nothing(client, limits):
    watcher = User.objects.create_user("watcher", password="a long one", is_staff=True)
    watcher.user_permissions.add(Permission.objects.get(codename="view_botrisklimits"))
    client.force_login(watcher)
    page = reverse("admin:risk_botrisklimits_change", args=[limits.pk])
    assert client.get(page).status_code == 200
    assert client.post(page, form(limits, max_position="0.1")).status_code == 403
    assert not LimitChange.objects.exists()
