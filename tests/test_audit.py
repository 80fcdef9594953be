"""Every act of an operator leaves an audit entry, with before and after, in its transaction."""

import inspect
from decimal import Decimal as D
from random import Random

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import transaction
from django.urls import reverse

from bots.models import Bot, ExchangeAccount
from execution.models import Position
from market.exchange import Balance, KeyRights
from notifications.models import AuditEntry
from risk.halts import raise_halt
from tests.accounts.conftest import field_keys  # noqa: F401  (a fixture)
from tests.factories import instrument, make_account, make_bot, make_position, now_at
from tests.fakes import ScriptedExecutor, filled_at
from tests.fleet.test_read import GOOD, read
from tests.histories import History
from tests.wired import wired_exchange  # noqa: F401  (a fixture)
from tradingplatform import corrections, key_rotation, limit_acts, live_accounts, operator
from tradingplatform.acting import By
from tradingplatform.fleet.load import load_fleet
from tradingplatform.operator import NewBot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("field_keys", "wired_exchange")]

NOW = now_at()
BY = By("ann", NOW, "because", "10.1.2.3")


def trading_bot():
    bot = make_bot(name="a")
    make_position(bot, NOW.market_at)
    return bot


def halted_bot():
    bot = make_bot(name="a", status="HALTED")
    with transaction.atomic():
        raise_halt(bot.account, bot, "drawdown", "fell too far", {}, NOW)
    return bot


def live_account():
    pk = make_account().pk
    ExchangeAccount.objects.filter(pk=pk).update(name="live", mode="LIVE", api_key="key", api_secret="secret")
    return ExchangeAccount.objects.get(pk=pk)


def holding():
    history = History(Random(1))
    history.venue = ScriptedExecutor(filled_at("60000"))
    history.enter(history.bots[0])
    return Position.objects.get()


class Desk:
    """An exchange that has 1,000 USDT and a harmless key."""

    def key_rights(self):
        return KeyRights(may_trade=True, may_withdraw=False, may_transfer=False, ip_restricted=True)

    def balances(self):
        return {"USDT": Balance(D(1000), D(0))}


def connect():
    new = live_accounts.NewAccount("live", "simulated", "USDT", D(500))
    live_accounts.connect_account(new, live_accounts.Credentials("key", "planted-secret"), Desk(), BY)


def create():
    new = NewBot("a", "ema_cross", "BTC/USDT", "1h", D("500.10"))
    operator.create_bot(make_account(), new, {"BTC/USDT": instrument()}, BY, start=False)


def limit_that_waits():
    bot = make_bot(name="a")
    limit_acts.change_limit(bot, "max_position", "0.4", By("bob", NOW, "before"), "a")
    return bot


STATUS = {"status": "RUNNING"}, {"status": "PAUSED"}

ACTS = {
    # function: (what it does, its action, subject, before, after)
    operator.create_bot: (
        create,
        "create_bot",
        "bot a",
        {},
        {"strategy": "ema_cross", "capital": "500.1", "status": "STOPPED"},
    ),
    operator.start_bot: (
        lambda: operator.start_bot(make_bot(name="a", status="STOPPED"), BY),
        *("start_bot", "bot a", {"status": "STOPPED"}, {"status": "RUNNING"}),
    ),
    operator.pause_bot: (lambda: operator.pause_bot(make_bot(name="a"), BY), "pause_bot", "bot a", *STATUS),
    operator.resume_bot: (
        lambda: operator.resume_bot(make_bot(name="a", status="PAUSED"), BY),
        *("resume_bot", "bot a", *STATUS[::-1]),
    ),
    operator.pause_all: (lambda: make_bot(name="a") and operator.pause_all(BY), "pause_bot", "bot a", *STATUS),
    operator.resume_all: (
        lambda: make_bot(name="a", status="PAUSED") and operator.resume_all(BY),
        *("resume_bot", "bot a", *STATUS[::-1]),
    ),
    operator.stop_bot: (
        lambda: operator.stop_bot(make_bot(name="a"), BY),
        *("stop_bot", "bot a", {"status": "RUNNING"}, {"status": "STOPPED"}),
    ),
    operator.reset_bot: (
        lambda: operator.reset_bot(halted_bot(), BY),
        *("reset_bot", "bot a", {"status": "HALTED", "halts": ["fell too far"]}, {"status": "PAUSED"}),
    ),
    operator.close_position: (
        lambda: operator.close_position(trading_bot(), BY),
        *("close_position", "bot a", {"status": "OPEN", "quantity": "1"}, {"status": "CLOSING", "quantity": "1"}),
    ),
    live_accounts.connect_account: (
        connect,
        *("connect_account", "account live", {}, {"exchange": "simulated", "mode": "LIVE", "capital": "500"}),
    ),
    live_accounts.go_live: (
        lambda: live_accounts.go_live([make_bot(name="a")], live_account(), BY),
        *("go_live", "bot a", {"live": False}, {"account": "live", "live": True}),
    ),
    live_accounts.go_paper: (
        lambda: live_accounts.go_paper([make_bot(live_account(), name="a", live=True)], make_account(), BY),
        *("go_paper", "bot a", {"account": "live", "live": True}, {"live": False}),
    ),
    corrections.accept_balances: (
        lambda: corrections.accept_balances(ExchangeAccount.objects.get(pk=make_account().pk), {"USDT": D(7)}, BY),
        *("accept_balances", "account account-", {"USDT": "100000"}, {"USDT": "7"}),
    ),
    corrections.closed_by_hand: (
        lambda: corrections.closed_by_hand(holding(), D("59000.5"), BY),
        *("close_by_hand", "bot bot-", {"status": "OPEN"}, {"status": "CLOSED", "price": "59000.5"}),
    ),
    key_rotation.rotate_field_keys: (
        lambda: live_account() and key_rotation.rotate_field_keys(BY),
        *("rotate_field_keys", "all secrets", {}, {"secrets": 2}),
    ),
    limit_acts.change_limit: (
        lambda: limit_acts.change_limit(make_bot(name="a"), "max_position", "0.1", BY),
        *("limit_changed", "bot a", {"max_position": "0.25"}, {"max_position": "0.1"}),
    ),
    limit_acts.withdraw_changes: (
        lambda: limit_acts.withdraw_changes(limit_that_waits(), BY),
        *("limit_change_withdrawn", "bot a", {"waiting": "0.4"}, {"max_position": "0.25"}),
    ),
}

ELSEWHERE = {"check_in", "reset_switch", "clear_account_halts"}
"""Acts on halts and on the dead man's switch: shown beside their own tests."""


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_act_leaves_an_entry(act):
    do, action, subject, before, after = ACTS[act]
    do()
    entry = AuditEntry.objects.filter(actor="ann").get()
    assert (entry.action, entry.address, entry.reason) == (action, "10.1.2.3", "because")
    assert entry.subject.startswith(subject)
    assert before.items() <= entry.before.items()
    assert after.items() <= entry.after.items()
    assert (entry.market_at, entry.wall_at) == (NOW.market_at, NOW.wall_at)
    assert "planted-secret" not in str(vars(entry))


@pytest.mark.parametrize(
    "module", [operator, live_accounts, corrections, key_rotation, limit_acts], ids=lambda module: module.__name__
)
def test_there_is_no_act_without_a_line_above(module):
    acts = {
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_")
        and inspect.unwrap(function).__module__ == module.__name__
        and "by" in inspect.signature(function).parameters
    }
    assert {act.__name__ for act in acts - set(ACTS)} <= ELSEWHERE
    assert acts, "the walk finds something"


def test_an_act_that_is_refused_leaves_nothing():
    with pytest.raises(operator.lifecycle.IllegalTransition):
        operator.resume_bot(make_bot(), BY)
    assert not AuditEntry.objects.exists()


def test_loading_a_fleet_leaves_one_entry():
    load_fleet(read(GOOD), NOW, "ann")
    made = AuditEntry.objects.get()
    assert (made.action, made.before) == ("load_fleet", {})
    assert any("btc" in line for line in made.after["plan"])
    load_fleet(read(GOOD), NOW, "ann")
    assert AuditEntry.objects.count() == 1, "nothing was changed"
    Bot.objects.update(capital=D(999))
    load_fleet(read(GOOD), NOW, "ann")
    changed = AuditEntry.objects.latest("pk")
    assert all(fields == {"capital": "999"} for fields in changed.before.values())
    assert changed.before.keys() == {bot.name for bot in Bot.objects.all()}


def test_a_new_operators_password_is_audited_without_it(capsys):
    call_command("operator_password")
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.subject, entry.address) == ("operator_password", "user operator", "command line")
    assert (entry.before, entry.after) == ({}, {})


class TestInTheConsole:
    """Edits of users and groups, and what an operator does there with bots."""

    @pytest.fixture
    def console(self, client):
        client.force_login(User.objects.create_superuser("operator", password="a long one"))
        return client

    def test_a_user_is_made_edited_and_deleted(self, console):
        password = "Planted-pass-1"
        new = {"username": "bob", "usable_password": "true", "password1": password, "password2": password}
        assert console.post(reverse("admin:auth_user_add"), new).status_code == 302
        bob, group = User.objects.get(username="bob"), Group.objects.create(name="watchers")
        data = {"username": "bob", "groups": [group.pk], "is_active": "on", "is_staff": "on"}
        data |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
        answer = console.post(reverse("admin:auth_user_change", args=[bob.pk]), data)
        assert answer.status_code == 302, answer.context["errors"]
        edited = AuditEntry.objects.get(action="user_edited")
        assert (edited.before["groups"], edited.after["groups"]) == ([], ["watchers"])
        assert (edited.before["is_staff"], edited.after["is_staff"]) == (False, True)
        console.post(reverse("admin:auth_user_delete", args=[bob.pk]), {"post": "yes"})
        assert AuditEntry.objects.get(action="user_deleted").subject == "user bob"
        assert AuditEntry.objects.get(action="user_created").after["username"] == "bob"
        assert all(password not in str(vars(entry)) for entry in AuditEntry.objects.all())

    def test_another_password_is_audited_without_it(self, console):
        bob, page = User.objects.create_user("bob", password="a long one"), "admin:auth_user_password_change"
        words = {"usable_password": "true", "password1": "Planted-pass-1", "password2": "another"}
        console.post(reverse(page, args=[bob.pk]), words)
        assert not AuditEntry.objects.exists()
        words["password2"] = words["password1"]
        assert console.post(reverse(page, args=[bob.pk]), words).status_code == 302
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.subject, entry.actor) == ("user_password_changed", "user bob", "operator")
        assert "Planted" not in str(vars(entry))

    def test_users_deleted_from_the_list(self, console):
        bob = User.objects.create_user("bob")
        data = {"action": "delete_selected", "_selected_action": [bob.pk], "post": "yes"}
        console.post(reverse("admin:auth_user_changelist"), data)
        assert AuditEntry.objects.get().action == "user_deleted"

    def test_acts_on_selected_bots(self, console):
        bot = make_bot()
        data = {"action": "pause", "_selected_action": [bot.pk]}
        console.post(reverse("admin:bots_bot_changelist"), data)
        entry = AuditEntry.objects.get()
        assert (entry.action, entry.actor, entry.address) == ("pause_bot", "operator", "127.0.0.1")
