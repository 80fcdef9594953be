"""The kill switch, resets and check-ins by Telegram: shown, confirmed, audited; a check-in counts from its sending."""

import re
from datetime import timedelta

import pytest

from bots.models import Bot, BotStatus
from market.clock import Clock
from notifications.models import AuditEntry
from notifications.telegram.commands import Asked, Question, find, read_command
from notifications.telegram.values import Note, Role
from risk.models import DeadMansSwitch, Halt
from tests.factories import make_account, make_bot, make_position
from tests.notifications.test_telegram_markup import WellFormed
from tests.telegram_rig import ANN
from tradingplatform.telegram_commands.registry import commands

pytestmark = pytest.mark.django_db


def ask(line, sent_ago_s=0, user=ANN):
    clock = Clock()
    name, words = read_command(f"/{line}")
    sent_at = clock.now().wall_at - timedelta(seconds=sent_ago_s)
    return find(name, commands(clock)).answer(Asked(user, "ann", Role.OPERATOR, name, words, sent_at))


def do(line):
    """Confirmed; what is said then."""
    question = ask(line)
    assert isinstance(question, Question)
    WellFormed(question.html)
    said = question.act().html
    WellFormed(said)
    return said


def text(note):
    assert isinstance(note, Note)
    return WellFormed(note.html).text


@pytest.fixture
def fleet():
    account = make_account(now=Clock().now())
    return [make_bot(account, name=f"bot-{number}") for number in range(3)]


def switch():
    return DeadMansSwitch.objects.get()


def test_the_kill_switch_waits_for_its_yes(fleet):
    make_position(fleet[0], Clock().now().market_at)
    question = ask("halt it looks <wrong>")
    assert "Halt <b>EVERYTHING</b>?" in question.html
    assert "What is held stays, 1 positions" in question.html
    assert "it looks &lt;wrong&gt;" in question.html
    assert not Halt.objects.exists()

    said = question.act().html

    halt = Halt.objects.get()
    assert (halt.account, halt.bot, halt.closes) == (None, None, False)
    assert "HALTED" in said
    entry = AuditEntry.objects.get()
    assert (entry.actor, entry.address, entry.reason) == (f"telegram:{ANN}", "telegram", "it looks <wrong>")


@pytest.mark.parametrize(
    ("line", "scope", "closes"),
    [
        ("halt", "everything", False),
        ("halt all", "everything", False),
        ("halt sell", "everything", True),
        ("halt all sell now", "everything", True),
        ("halt market crash", "everything", False),
        ("halt bot-1", "bot bot-1", False),
        ("halt BOT-1 sell it", "bot bot-1", True),
    ],
    ids=range(7),
)
def test_what_is_halted(fleet, line, scope, closes):
    do(line)
    halt = Halt.objects.get()
    assert (halt.scope, halt.closes) == (scope, closes)


def test_everything_goes_on_after_a_reset_with_a_reason(fleet):
    do("halt")
    for without in ("reset", "reset all", "reset switch", "reset account", "reset bot-1"):
        with pytest.raises(ValueError, match="why"):
            ask(without)
    assert do("reset all it was a drill") == "The halt of everything is over."
    assert not Halt.objects.filter(cleared_at=None).exists()
    assert do("reset all once more") == "Everything was not halted."


def test_a_halt_that_is_left_is_named(fleet):
    do("halt bot-1")
    do("halt")
    assert "Still in force" in do("reset all enough")
    assert do("reset bot-1 enough") == "Bot bot-1 is no longer halted."
    assert not Halt.objects.filter(cleared_at=None).exists()


def test_a_bot_that_a_check_halted_is_paused_by_its_reset(fleet):
    bot, now = fleet[0], Clock().now()
    Bot.objects.filter(pk=bot.pk).update(status=BotStatus.HALTED)
    Halt.objects.create(
        account=bot.account, bot=bot, cause="drawdown", text="too much", market_at=now.market_at, raised_at=now.wall_at
    )
    assert do("reset bot-0 looked into it") == "Bot bot-0 is PAUSED."
    assert "Not done: " in do("reset bot-0 again")


def test_an_accounts_halts_are_ended_by_its_name(fleet):
    account, now = fleet[0].account, Clock().now()
    Halt.objects.create(account=account, cause="x", text="down", market_at=now.market_at, raised_at=now.wall_at)
    with pytest.raises(ValueError, match="There is no account 'nobody'"):
        ask("reset account nobody why")
    with pytest.raises(ValueError, match="Say what and why"):
        ask(f"reset account {account.name}")
    assert do(f"reset account {account.name} looked into it") == f"1 halts of account {account.name} are over."


def test_a_check_in_shows_what_is_at_stake_and_counts_from_when_it_was_sent(fleet):
    make_position(fleet[0], Clock().now().market_at)
    shown = text(ask("checkin"))
    assert "1 position," in shown
    assert "3 bots running" in shown
    code = re.search(r"/checkin (\d{6})", shown)[1]
    before = switch().last_checkin_at

    said = ask(f"checkin {code}", sent_ago_s=40)

    assert "Checked in" in said.html
    credited = switch().last_checkin_at
    assert credited > before
    assert timedelta(seconds=39) < Clock().now().wall_at - credited < timedelta(seconds=45)
    assert switch().last_checkin_by == f"telegram:{ANN}"
    assert AuditEntry.objects.get(action="check_in").address == "telegram"
    with pytest.raises(ValueError, match="code"):
        ask(f"checkin {code}")  # once


@pytest.mark.parametrize("code", ["000000", "x", "1" * 500, "<b>"], ids=["wrong", "letter", "long", "tag"])
def test_a_wrong_code_is_no_check_in(fleet, code):
    before = switch().last_checkin_at
    with pytest.raises(ValueError, match="code"):
        ask(f"checkin {code}")
    assert switch().last_checkin_at == before


def test_a_code_is_for_whom_it_was_shown_to(fleet):
    code = re.search(r"/checkin (\d{6})", text(ask("checkin")))[1]
    with pytest.raises(ValueError, match="code"):
        ask(f"checkin {code}", user=ANN + 1)


def test_a_replayed_check_in_extends_nothing(fleet):
    code = re.search(r"/checkin (\d{6})", text(ask("checkin")))[1]
    before = switch().last_checkin_at
    with pytest.raises(ValueError, match="not newer"):
        ask(f"checkin {code}", sent_ago_s=2 * 3600)
    assert switch().last_checkin_at == before


def test_a_triggered_switch_is_reset_for_a_reason(fleet):
    with pytest.raises(ValueError, match="has not triggered"):
        ask("reset switch because")
    DeadMansSwitch.objects.update(last_checkin_at=Clock().now().wall_at - timedelta(days=2))

    assert "TRIGGERED" in text(ask("switch"))
    with pytest.raises(ValueError, match="has triggered"):
        ask("checkin")
    said = do("reset switch I am back")

    assert "3 bots are paused" in said
    assert switch().latched_at is None
    assert AuditEntry.objects.filter(action="reset_switch", actor=f"telegram:{ANN}", reason="I am back").exists()


def test_a_missing_switch_is_said(fleet):
    DeadMansSwitch.objects.all().delete()
    for line in ("switch", "checkin"):
        with pytest.raises(ValueError, match="missing"):
            ask(line)


def test_what_a_viewer_may_not():
    roles = {command.name: command.role for command in commands(Clock()).values()}
    assert {name for name, role in roles.items() if role is Role.OPERATOR} == {
        "pause", "resume", "close", "checkin", "halt", "reset",
    }  # fmt: skip
