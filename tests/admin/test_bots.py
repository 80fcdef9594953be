"""Bots, limits and accounts in the admin: what may be edited, and what is said when it may not."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from bots.models import Bot, ExchangeAccount
from execution.models import BotBook, CapitalChange, Portfolio
from market.exchange import Transient
from notifications.models import AuditEntry, Event
from risk.models import BotRiskLimits
from tests.factories import make_account, make_bot
from tests.fleet.test_load import hold

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("wired_exchange")]

ADD = "admin:bots_bot_add"
RAISED = {"reason": "it earned it", "confirmation": "mine"}


@pytest.fixture
def operator(client):
    client.force_login(User.objects.create_superuser("operator", password="a long one"))
    return client


def definition(account, **changes):
    return {
        "account": account.pk,
        "name": "new",
        "strategy": "ema_cross",
        "parameters": "{}",
        "symbol": "BTC/USDT",
        "timeframe": "1h",
        "capital": "500",
        "ai_mode": "off",
        "ai_on_failure": "deny",
    } | changes


def of(bot, **changes):
    fields = {name: getattr(bot, name) for name in ("name", "strategy", "symbol", "timeframe", "capital")}
    return definition(bot.account, **fields) | changes


def edit(client, row, data):
    return client.post(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]), data)


def errors_of(answer):
    assert answer.status_code == 200
    return answer.context["adminform"].form.errors


def test_a_new_bot_has_all_its_rows_and_does_not_run(operator):
    account = make_account()
    answer = operator.post(reverse(ADD), definition(account, capital="500.12345678901234567"))
    assert answer.status_code == 302, errors_of(answer)
    bot = Bot.objects.get(name="new")
    assert (bot.status, bot.capital) == ("STOPPED", Decimal("500.12345678901234567"))
    assert BotRiskLimits.objects.filter(bot=bot).exists()
    assert BotBook.objects.get(bot=bot).peak_equity == bot.capital


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"name": "taken"}, "name", "there is a bot of this name already"),
        ({"name": "No Name"}, "name", "use lower-case letters"),
        ({"strategy": "emma"}, "strategy", "unknown strategy 'emma': use one of rsi_reversal, ema_cross"),
        ({"timeframe": "2h"}, "timeframe", "unknown timeframe '2h': use one of 15m, 1h, 4h"),
        ({"symbol": "FOO/USDT"}, "symbol", "the exchange has no 'FOO/USDT': use one of BTC/USDT"),
        ({"symbol": "BTC/EUR"}, "symbol", "not quoted in the account's currency USDT"),
        ({"symbol": "BTCUSDT"}, "symbol", "not of the form BASE/QUOTE"),
        ({"capital": "0"}, "capital", "capital must be above 0, not 0"),
        ({"capital": "-3"}, "capital", "capital must be above 0, not -3"),
        ({"capital": "NaN"}, "capital", "Enter a number"),
        ({"capital": "1" + "0" * 60}, "capital", "too many digits"),
        ({"parameters": '{"fast": 1}'}, "parameters", "fast may not be 1: use a whole number from 2 to 71"),
        ({"parameters": '{"speed": 1}'}, "parameters", "unknown parameter 'speed': use fast, slow"),
        ({"parameters": "[1]"}, "parameters", "give an object"),
        ({"parameters": "{"}, "parameters", "valid JSON"),
        ({"strategy": ""}, "strategy", "required"),
        ({"account": ""}, "account", "required"),
    ],
)
def test_a_bad_definition_is_refused_with_what_is_allowed(operator, changes, field, words):
    account = make_bot(name="taken").account
    errors = errors_of(operator.post(reverse(ADD), definition(account) | changes))
    assert words in " ".join(errors[field])
    assert Bot.objects.count() == 1


def test_several_problems_are_told_at_once(operator):
    bad = definition(make_account(), symbol="FOO/USDT", capital="0", parameters='{"fast": 1}', name="No")
    assert set(errors_of(operator.post(reverse(ADD), bad))) == {"symbol", "capital", "parameters", "name"}


def test_an_exchange_that_does_not_answer_refuses_new_symbols_only(operator, wired_exchange, monkeypatch):
    def down():
        raise Transient("no route")

    monkeypatch.setattr(wired_exchange, "instruments", down)
    assert "not running" in " ".join(errors_of(operator.post(reverse(ADD), definition(make_account())))["symbol"])
    bot = make_bot()
    assert edit(operator, bot, of(bot, capital="700")).status_code == 302
    assert Bot.objects.get(pk=bot.pk).capital == Decimal(700)


def test_an_edit_leaves_alone_what_a_tick_writes_meanwhile(operator, wired_exchange, monkeypatch):
    bot = make_bot()
    real = wired_exchange.instruments

    def ticks_meanwhile():
        Bot.objects.filter(pk=bot.pk).update(ticks=7, last_slot=99, lease_token="t", status="PAUSED")
        return real()

    monkeypatch.setattr(wired_exchange, "instruments", ticks_meanwhile)
    assert edit(operator, bot, of(bot, symbol="ETH/USDT")).status_code == 302
    stored = Bot.objects.get(pk=bot.pk)
    assert (stored.symbol, stored.ticks, stored.lease_token, stored.status) == ("ETH/USDT", 7, "t", "PAUSED")
    assert stored.last_slot == 99


@pytest.mark.parametrize("changes", [{"symbol": "ETH/USDT"}, {"timeframe": "4h"}, {"strategy": "ema_cross"}])
def test_a_held_position_fixes_its_bot(operator, changes):
    bot = make_bot()
    hold(bot.name)
    errors = errors_of(edit(operator, bot, of(bot, **changes)))
    assert "has a live position in BTC/USDT (OPEN)" in " ".join(errors[next(iter(changes))])
    assert edit(operator, bot, of(bot, capital="700")).status_code == 302


def test_new_capital_is_no_profit(operator):
    bot = make_bot(name="mine")
    edit(operator, bot, of(bot, capital="7000", **RAISED))
    book = BotBook.objects.get(bot=bot)
    assert book.peak_equity == book.day_start_equity == Decimal(7000)


def test_edits_are_audited_with_before_and_after(operator):
    bot = make_bot(name="mine")
    edit(operator, bot, of(bot, capital="7000.10", parameters='{"period": 10}', strategy="rsi_reversal", **RAISED))
    event = Event.objects.get(kind="bot_edited")
    assert (event.bot_id, event.payload["actor"]) == (bot.pk, "operator")
    assert event.payload["changes"] == {
        "capital": {"from": "5000", "to": "7000.1"},
        "parameters": {"from": {}, "to": {"period": 10}},
    }
    operator.post(reverse(ADD), definition(bot.account))
    assert Event.objects.filter(kind="bot_created", text__contains="operator").count() == 1
    entry = AuditEntry.objects.get(action="bot_edited")
    assert (entry.actor, entry.address, entry.bot_id) == ("operator", "127.0.0.1", bot.pk)
    assert entry.before == {"capital": "5000", "parameters": {}}
    assert entry.after == {"capital": "7000.1", "parameters": {"period": 10}}
    assert entry.reason == "it earned it"


@pytest.mark.parametrize(
    ("given", "field"),
    [({}, "reason"), ({"reason": "why not"}, "confirmation"), ({**RAISED, "confirmation": "yes"}, "confirmation")],
)
def test_more_capital_loosens_the_limits_and_is_confirmed_for_a_reason(operator, given, field):
    bot = make_bot(name="mine")
    assert "more capital loosens" in errors_of(edit(operator, bot, of(bot, capital="5000.01", **given)))[field][0]
    assert Bot.objects.get(pk=bot.pk).capital == Decimal(5000)
    assert edit(operator, bot, of(bot, capital="4999.99")).status_code == 302, "less of it tightens them"


def test_bots_and_accounts_are_not_deleted(operator):
    bot = make_bot()
    for row in (bot, bot.account):
        page = reverse(f"admin:bots_{row._meta.model_name}_delete", args=[row.pk])
        assert operator.post(page, {"post": "yes"}).status_code == 403
    assert Bot.objects.count() == ExchangeAccount.objects.count() == 1


@pytest.mark.parametrize(
    ("before", "act", "after", "event"),
    [
        ("STOPPED", "start", "RUNNING", "bot_started"),
        ("RUNNING", "pause", "PAUSED", "bot_paused"),
        ("PAUSED", "resume", "RUNNING", "bot_resumed"),
        ("RUNNING", "stop", "STOPPED", "bot_stopped"),
        ("HALTED", "resume", "HALTED", None),
    ],
)
def test_acts_on_selected_bots_are_audited(operator, before, act, after, event):
    bot = make_bot(status=before)
    data = {"action": act, "_selected_action": [bot.pk]}
    answer = operator.post(reverse("admin:bots_bot_changelist"), data, follow=True)
    assert Bot.objects.get().status == after
    if event:
        assert Event.objects.get(kind=event).payload["actor"] == "operator"
    else:
        assert "cannot resume bot" in answer.content.decode()


def test_a_bot_that_holds_something_is_not_stopped(operator):
    bot, free = make_bot(), make_bot()
    hold(bot.name)
    data = {"action": "stop", "_selected_action": [bot.pk, free.pk]}
    assert "live position" in operator.post(reverse("admin:bots_bot_changelist"), data, follow=True).content.decode()
    assert [Bot.objects.get(pk=each.pk).status for each in (bot, free)] == ["RUNNING", "STOPPED"]


def account(**changes):
    given = {"name": "second", "exchange": "simulated", "quote": "USDT", "mode": "PAPER", "initial_capital": "1000.5"}
    return given | changes


def test_an_account_is_made_with_its_capital(operator):
    answer = operator.post(reverse("admin:bots_exchangeaccount_add"), account())
    assert answer.status_code == 302, errors_of(answer)
    made = ExchangeAccount.objects.get(name="second")
    assert CapitalChange.objects.get(account=made).kind == "INITIAL"
    assert Portfolio.objects.get(account=made).peak_equity == Decimal("1000.5")


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"initial_capital": "0"}, "initial_capital", "above 0"),
        ({"initial_capital": ""}, "initial_capital", "required"),
        ({"exchange": "binance"}, "exchange", "runs on 'simulated'"),
        ({"mode": "LIVE"}, "mode", "by `manage.py connect_account`; live orders go to the simulated exchange only"),
    ],
)
def test_a_bad_account_is_refused(operator, changes, field, words):
    errors = errors_of(operator.post(reverse("admin:bots_exchangeaccount_add"), account(**changes)))
    assert words in " ".join(errors[field])
    assert not ExchangeAccount.objects.exists()


def test_mode_and_currency_of_an_account_are_fixed(operator):
    made = make_account()
    edit(operator, made, {"name": "renamed", "mode": "LIVE", "quote": "EUR", "exchange": "x"})
    made.refresh_from_db()
    assert (made.name, made.mode, made.quote, made.exchange) == ("renamed", "PAPER", "USDT", "simulated")


def test_whether_an_ai_is_asked_is_edited_and_audited(operator):
    bot = make_bot(name="mine")
    refused = errors_of(edit(operator, bot, of(bot, ai_mode="sometimes", ai_on_failure="")))
    assert set(refused) == {"ai_mode", "ai_on_failure"}
    assert edit(operator, bot, of(bot, ai_mode="veto", ai_on_failure="allow")).status_code == 302
    bot.refresh_from_db()
    assert (bot.ai_mode, bot.ai_on_failure) == ("veto", "allow")
    entry = AuditEntry.objects.get(action="bot_edited")
    assert entry.before.items() >= {"ai_mode": "off", "ai_on_failure": "deny"}.items()
    assert entry.after.items() >= {"ai_mode": "veto", "ai_on_failure": "allow"}.items()
