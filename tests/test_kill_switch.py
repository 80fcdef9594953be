"""The kill switch: what it stops, in which order with sends, and what ends it."""

import threading
import time
from functools import partial

import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection, transaction
from django.db.models.signals import post_save

from bots import lifecycle
from bots.models import Bot, BotStatus
from execution.lock import lock_portfolio, under_portfolio_lock
from execution.models import Order, Portfolio, Position
from execution.states import OrderStatus, PositionStatus
from notifications.models import AuditEntry, Event
from risk.halts import open_halts, raise_halt
from risk.models import Halt
from risk.verdicts import Approved
from tests.execution.test_orders_and_money import NOW, buy, check_totals
from tests.factories import SLOT_0, make_account, make_bot
from tests.fakes import ScriptedExecutor, filled_at
from tradingplatform import kill_switch, operator
from tradingplatform.acting import By

pytestmark = pytest.mark.django_db

ANN = By("ann", NOW, "a test", "10.0.0.7")


def may_enter(bot, slot=SLOT_0):
    return isinstance(buy(bot, ScriptedExecutor(filled_at("60000")), amount="0.001", slot=slot), Approved)


@pytest.mark.parametrize(
    ("halt", "resume", "others_too"),
    [
        (lambda bot: kill_switch.halt_everything(ANN), lambda bot: kill_switch.resume_everything(ANN), True),
        (
            lambda bot: kill_switch.halt_account(bot.account, ANN),
            lambda bot: kill_switch.resume_account(bot.account, ANN),
            False,
        ),
        (lambda bot: kill_switch.halt_bot(bot, ANN), lambda bot: kill_switch.resume_bot_trading(bot, ANN), False),
    ],
    ids=["everything", "an account", "a bot"],
)
def test_a_halt_stops_its_scope_until_it_is_resumed(halt, resume, others_too):
    bot, other = make_bot(), make_bot()
    halt(bot)
    assert not may_enter(bot)
    assert may_enter(other) is not others_too
    assert resume(bot) == 1
    assert resume(bot) == 0
    assert may_enter(bot, SLOT_0 + 1)
    assert Bot.objects.get(pk=bot.pk).status == BotStatus.RUNNING
    entries = list(AuditEntry.objects.order_by("pk").values_list("action", "actor", "address", "reason"))
    assert entries == [("halt", "ann", "10.0.0.7", "a test"), ("resume", "ann", "10.0.0.7", "a test")]
    assert list(Event.objects.filter(kind__startswith="halt_").order_by("pk").values_list("kind", flat=True)) == [
        "halt_raised",
        "halt_cleared",
    ]


def test_it_may_be_pulled_twice_and_the_second_time_sell():
    bot = make_bot()
    first, second = kill_switch.halt_everything(ANN), kill_switch.halt_everything(ANN, closes=True)
    assert first.pk == second.pk
    assert second.closes
    assert kill_switch.halt_everything(ANN).closes  # what was said once is not taken back by saying less
    assert not may_enter(bot)
    assert AuditEntry.objects.filter(action="halt").count() == 3


@pytest.mark.parametrize("pull", ["everything", "account", "bot"])
def test_between_review_and_send_it_withdraws_the_entry(pull):
    bot = make_bot()
    executor = ScriptedExecutor(filled_at("60000"))
    pulls = {
        "everything": lambda: kill_switch.halt_everything(ANN),
        "account": lambda: kill_switch.halt_account(bot.account, ANN),
        "bot": lambda: kill_switch.halt_bot(bot, ANN),
    }

    def meanwhile(created, **_):
        if created:
            pulls[pull]()

    post_save.connect(meanwhile, sender=Order, weak=False)
    try:
        buy(bot, executor)
    finally:
        post_save.disconnect(meanwhile, sender=Order)
    assert not executor.sent
    assert Order.objects.get(bot=bot).status == OrderStatus.CANCELED
    assert Position.objects.get(bot=bot).status == PositionStatus.FLAT
    check_totals(bot.account)


@pytest.mark.django_db(transaction=True)
def test_it_falls_before_a_sends_mark_or_after_it_and_never_in_between(monkeypatch):
    """Bots of three accounts enter while somebody pulls: what leaves had been marked as sent when the halt was
    written, and nothing leaves that had not."""
    bots = [make_bot(account) for account in (make_account() for _ in range(3)) for _ in range(3)]
    executors = [ScriptedExecutor(filled_at("60000")) for _ in bots]
    at_the_gate, marked = threading.Barrier(len(bots) + 1), set()
    real = kill_switch.raise_halt

    def seen(*arguments, **options):
        """Under all locks, right before the halt is written."""
        sent = Order.objects.exclude(sent_at=None).values_list("client_order_id", flat=True)
        marked.clear()
        marked.update(sent)
        return real(*arguments, **options)

    def one(act):
        at_the_gate.wait()
        try:
            act()
        finally:
            connection.close()

    monkeypatch.setattr(kill_switch, "raise_halt", seen)
    acts = [partial(buy, bot, executor, amount="0.001") for bot, executor in zip(bots, executors, strict=True)]
    threads = [threading.Thread(target=one, args=(act,)) for act in (*acts, lambda: kill_switch.halt_everything(ANN))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Halt.objects.filter(account=None, cleared_at=None).count() == 1
    assert {request.client_order_id for executor in executors for request in executor.sent} == marked
    assert all(order.status in (OrderStatus.FILLED, OrderStatus.CANCELED) for order in Order.objects.all())


def test_every_account_is_locked_in_order_before_anything_is_written():
    bots = [make_bot() for _ in range(3)]
    versions = dict(Portfolio.objects.values_list("account_id", "lock_version"))
    kill_switch.halt_everything(ANN)
    after = dict(Portfolio.objects.values_list("account_id", "lock_version"))
    assert after == {account: version + 1 for account, version in versions.items()}
    assert len(after) == len(bots)


def test_an_account_whose_lock_cannot_be_had_does_not_keep_it_from_falling(monkeypatch):
    bots = [make_bot() for _ in range(2)]
    real, tried = kill_switch.lock_portfolio, []

    def locked(account_id):
        tried.append(account_id)
        if account_id == bots[1].account_id:
            raise OperationalError("canceling statement due to lock timeout")
        return real(account_id)

    monkeypatch.setattr(kill_switch, "lock_portfolio", locked)
    kill_switch.halt_everything(ANN)
    assert len(tried) == 2 * kill_switch.TRIES
    assert not any(may_enter(bot) for bot in bots)


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has one lock for all accounts")
@pytest.mark.django_db(transaction=True)
def test_it_falls_soon_though_somebody_sits_on_an_accounts_lock():
    bots = [make_bot() for _ in range(2)]
    holds, may_go = threading.Event(), threading.Event()

    def sit():
        with transaction.atomic():
            lock_portfolio(bots[1].account_id)
            holds.set()
            may_go.wait(20)
        connection.close()

    sitter = threading.Thread(target=sit)
    sitter.start()
    holds.wait(20)
    began_s = time.monotonic()
    kill_switch.halt_everything(ANN)
    took_s = time.monotonic() - began_s
    may_go.set()
    sitter.join()
    assert took_s < 5
    assert not any(may_enter(bot) for bot in bots)


def test_a_database_that_cannot_be_written_is_told(monkeypatch):
    make_bot()

    def never(*_, **__):
        raise OperationalError("database is locked")

    monkeypatch.setattr(kill_switch, "raise_halt", never)
    with pytest.raises(CommandError, match="database is locked"):
        call_command("halt", "--all", reason="x")
    assert not Halt.objects.exists()
    assert not AuditEntry.objects.exists()


# what ends what


def test_a_resume_ends_what_a_person_began_and_not_what_a_check_did():
    bot = make_bot()
    for scope, cause in ((None, "portfolio_drawdown"), (bot, "drawdown")):
        raise_halt(bot.account, scope, cause, f"{cause} text", {}, NOW)
    kill_switch.halt_account(bot.account, ANN)
    kill_switch.halt_bot(bot, ANN)
    assert kill_switch.resume_account(bot.account, ANN) == kill_switch.resume_bot_trading(bot, ANN) == 1
    assert open_halts(bot.account_id, bot.pk, NOW) == ("portfolio_drawdown text", "drawdown text")


def test_only_a_drawdown_that_is_cleared_begins_anew():
    account = make_account()
    Portfolio.objects.update(realised=-10_000)
    kill_switch.halt_account(account, ANN)
    assert kill_switch.clear_account_halts(account, ANN) == 1
    assert Portfolio.objects.get().peak_equity == 100_000
    under_portfolio_lock(account.pk, lambda _: raise_halt(account, None, "portfolio_drawdown", "x", {}, NOW))
    assert kill_switch.clear_account_halts(account, ANN) == 1
    assert Portfolio.objects.get().peak_equity == 90_000


@pytest.mark.parametrize(
    "act",
    [
        lambda bot, by: kill_switch.resume_everything(by),
        lambda bot, by: kill_switch.resume_account(bot.account, by),
        kill_switch.resume_bot_trading,
        lambda bot, by: kill_switch.clear_account_halts(bot.account, by),
        operator.reset_bot,
    ],
    ids=["everything", "an account", "a bot", "clear", "reset"],
)
def test_nothing_goes_on_without_a_reason(act):
    bot = make_bot()
    kill_switch.halt_everything(ANN)
    with pytest.raises(ValueError, match="reason"):
        act(bot, By("ann", NOW, "  "))
    assert Halt.objects.filter(cleared_at=None).count() == 1


def test_a_reset_leaves_a_daily_loss_to_midnight():
    bot = make_bot()
    raise_halt(bot.account, bot, "daily_loss", "lost", {}, NOW, until=NOW.market_at.replace(hour=23))
    raise_halt(bot.account, bot, "drawdown", "fell", {}, NOW)
    lifecycle.halt(bot.pk, "fell", now=NOW, actor="risk")
    operator.reset_bot(bot, ANN)
    assert open_halts(bot.account_id, bot.pk, NOW) == ("lost",)
    assert Bot.objects.get().status == BotStatus.PAUSED


def test_a_bot_whose_status_did_not_follow_its_halt_can_be_reset():
    bot = make_bot(status=BotStatus.STOPPED)
    raise_halt(bot.account, bot, "unknown_order", "who sent that?", {}, NOW)
    assert operator.reset_bot(bot, ANN).status == BotStatus.STOPPED
    assert open_halts(bot.account_id, bot.pk, NOW) == ()
    with pytest.raises(lifecycle.IllegalTransition):
        operator.reset_bot(bot, ANN)


# commands


def test_the_commands_say_what_is_halted_and_what_still_is(capsys):
    bot = make_bot(name="btc-bot")
    call_command("halt", "btc-bot", reason="strange fills")
    call_command("halt", account=bot.account.name, reason="strange account")
    call_command("halt", "--all", "--close", reason="strange market")
    assert "HALTED: everything enters nothing any more. What is held is sold" in capsys.readouterr().out
    call_command("resume_trading", "--all", reason="it is over")
    out = capsys.readouterr().out
    assert "The halt of everything is over: entries go on, but for:" in out
    assert f"manage.py resume_trading --account {bot.account.name} --reason" in out
    assert "manage.py resume_trading btc-bot --reason" in out
    call_command("resume_trading", account=bot.account.name, reason="y")
    call_command("resume_trading", "btc-bot", reason="y")
    with pytest.raises(CommandError, match="bot btc-bot is not halted by a person, and neither is anything else"):
        call_command("resume_trading", "btc-bot", reason="y")


@pytest.mark.parametrize("command", ["halt", "resume_trading"])
@pytest.mark.parametrize(
    "scope", [[], ["btc-bot", "--all"], ["--account", "a", "--all"]], ids=["none", "two", "two others"]
)
def test_one_scope_is_named(command, scope):
    with pytest.raises(CommandError, match=r"one of the arguments|not allowed with"):
        call_command(command, *scope, "--reason", "x")


def test_unknown_names_are_told():
    with pytest.raises(CommandError, match="there is no bot 'x'"):
        call_command("halt", "x", reason="y")
    with pytest.raises(CommandError, match="there is no account 'x'"):
        call_command("halt", account="x", reason="y")
