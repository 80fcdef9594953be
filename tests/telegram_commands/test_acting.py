"""What acts: shown first, done when confirmed, by the person who asked, with a trace."""

from decimal import Decimal

import pytest

from bots.models import Bot, BotStatus
from execution.models import Position
from execution.states import PositionStatus
from market.clock import Clock
from notifications.models import AuditEntry, Event
from notifications.telegram.commands import Asked, Question, find, read_command
from notifications.telegram.values import Role
from tests.factories import make_account, make_bot, make_position
from tests.telegram_rig import ANN
from tradingplatform.telegram_commands.registry import commands

pytestmark = pytest.mark.django_db


def ask(line):
    clock = Clock()
    name, words = read_command(f"/{line}")
    return find(name, commands(clock)).answer(Asked(ANN, "ann", Role.OPERATOR, name, words, clock.now().wall_at))


def do(line):
    """Confirmed; what is said then."""
    question = ask(line)
    assert isinstance(question, Question)
    return question.act().html


@pytest.fixture
def fleet():
    account = make_account(now=Clock().now())
    return [make_bot(account, name=f"bot-{number}") for number in range(3)]


def statuses():
    return list(Bot.objects.order_by("pk").values_list("status", flat=True))


def test_every_act_is_for_operators_and_asks_first():
    acting = [command for command in commands(Clock()).values() if command.role is Role.OPERATOR]
    assert {"pause", "resume", "close"} <= {command.name for command in acting}
    assert not any(command.refreshes for command in acting)


def test_nothing_happens_before_it_is_confirmed(fleet):
    for line in ("pause bot-1", "pause all", "resume all"):
        ask(line)
    assert statuses() == ["RUNNING"] * 3
    assert not Event.objects.exists()


def test_a_bot_is_paused_and_resumed_by_name(fleet):
    assert "is paused" in do("pause bot-1 going to sleep")
    assert statuses() == ["RUNNING", "PAUSED", "RUNNING"]
    event = Event.objects.get(kind="bot_paused")
    assert (event.payload["actor"], event.payload["reason"]) == (f"telegram:{ANN}", "going to sleep")
    assert "is resumed" in do("resume BOT-1")
    assert statuses() == ["RUNNING"] * 3
    assert "Not done: cannot resume" in do("resume bot-1")


def test_all_at_once(fleet):
    assert do("pause all") == "3 bots paused."
    assert statuses() == ["PAUSED"] * 3
    assert do("resume all") == "3 bots resumed."
    assert statuses() == ["RUNNING"] * 3


def test_closing_shows_what_is_sold(fleet):
    make_position(fleet[0], Clock().now().market_at, unrealised=Decimal("2.5"), mark_price=Decimal("102.5"))
    question = ask("close bot-0")
    assert "cost 100.00 USDT, open +2.50" in question.html
    assert "sells BTC/USDT" in question.act().html
    position = Position.objects.get()
    assert (position.status, position.exit_text) == (PositionStatus.CLOSING, f"closed by telegram:{ANN}")
    assert "Not done: bot bot-0 is closing its position already" in question.act().html


def test_closing_all_tells_what_could_not_be_sold(fleet):
    now = Clock().now().market_at
    make_position(fleet[0], now)
    make_position(fleet[1], now)
    make_position(fleet[2], now, status=PositionStatus.OPENING)
    question = ask("close all")
    assert "ALL that is held, 3 positions" in question.html
    assert question.act().html == (
        "2 positions are being sold.\nbot bot-2 is entering: wait until it is known what it got, and close that"
    )


@pytest.mark.parametrize(
    ("line", "why"),
    [("pause", "Name a bot"), ("close nobody", "There is no bot"), ("close bot-0", "holds nothing")],
    ids=["none", "unknown", "nothing held"],
)
def test_what_cannot_be_done_is_said_before_it_is_asked(fleet, line, why):
    with pytest.raises(ValueError, match=why):
        ask(line)


def test_acts_are_audited_where_the_act_itself_is(fleet):
    """The trail names the person and the way; which acts leave one is the business of the acts."""
    do("pause bot-1")
    for entry in AuditEntry.objects.all():
        assert (entry.actor, entry.address) == (f"telegram:{ANN}", "telegram")
    assert BotStatus.PAUSED in statuses()
