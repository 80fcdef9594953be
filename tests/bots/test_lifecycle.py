"""Which status changes are legal, and what each leaves behind."""

from collections.abc import Callable

import pytest

from bots import lifecycle
from bots.lifecycle import MOVES, IllegalTransition, Move
from bots.models import Bot, BotStatus
from notifications.models import Event, Severity
from tests.factories import SLOT_0, make_bot, now_at

pytestmark = pytest.mark.django_db

NOW = now_at()


def act(move: Move, bot: Bot) -> Bot:
    if move is lifecycle.HALT:
        return lifecycle.halt(bot.pk, "because", now=NOW, actor="test")
    do: Callable[..., Bot] = getattr(lifecycle, move.act)
    return do(bot, now=NOW, actor="test", reason="because")


@pytest.mark.parametrize("status", list(BotStatus))
@pytest.mark.parametrize("move", MOVES, ids=lambda move: move.act)
def test_every_status_meets_every_act(move: Move, status: BotStatus) -> None:
    bot = make_bot(status=status)
    if status in move.sources:
        stored = act(move, bot)
        event = Event.objects.get(kind=move.event.kind)
        bot.refresh_from_db()
        assert (stored.status, bot.status, bot.status_reason) == (move.target, move.target, "because")
        assert event.bot_id == bot.pk
        assert event.payload == {"from": status, "to": move.target, "actor": "test", "reason": "because"}
        assert event.text == f"Bot {bot.name} {move.done} by test: because"
        assert (event.market_at, event.wall_at) == (NOW.market_at, NOW.wall_at)
    else:
        with pytest.raises(IllegalTransition, match=f"cannot {move.act} bot {bot.name}: it is {status}"):
            act(move, bot)
        bot.refresh_from_db()
        assert bot.status == status
        assert not Event.objects.filter(kind=move.event.kind).exists()


def test_the_legal_moves() -> None:
    """The table once more, by hand."""
    assert {(source.value, move.act, move.target.value) for move in MOVES for source in move.sources} == {
        ("STOPPED", "start", "RUNNING"),
        ("RUNNING", "pause", "PAUSED"),
        ("PAUSED", "resume", "RUNNING"),
        ("RUNNING", "halt", "HALTED"),
        ("PAUSED", "halt", "HALTED"),
        ("HALTED", "reset", "PAUSED"),
        ("RUNNING", "stop", "STOPPED"),
        ("PAUSED", "stop", "STOPPED"),
    }


def test_a_halt_is_a_warning() -> None:
    lifecycle.halt(make_bot().pk, "drawdown 21 %", now=NOW, actor="risk")
    event = Event.objects.get(kind="bot_halted")
    assert event.severity == Severity.WARNING
    assert event.text.endswith("halted by risk: drawdown 21 %")


def test_the_callers_bot_learns_what_happened() -> None:
    bot = make_bot(status=BotStatus.STOPPED)
    lifecycle.start(bot, now=NOW, actor="test")
    assert (bot.status, bot.last_slot) == (BotStatus.RUNNING, SLOT_0 - 1)


def test_a_stale_bot_does_not_help() -> None:
    bot = make_bot()
    lifecycle.pause(Bot.objects.get(pk=bot.pk), now=NOW, actor="other")
    with pytest.raises(IllegalTransition, match="it is PAUSED, use resume_bot or stop_bot"):
        lifecycle.pause(bot, now=NOW, actor="test")


def test_a_deleted_bot() -> None:
    with pytest.raises(IllegalTransition, match="no such bot"):
        lifecycle.halt(4711, "x", now=NOW, actor="test")


@pytest.mark.parametrize(
    ("last_slot", "expected"),
    [
        (-1, SLOT_0 - 1),  # never ran: due now
        (SLOT_0 - 5000, SLOT_0 - 1),  # stopped long ago: only the current slot is owed
        (SLOT_0 - 1, SLOT_0 - 1),
        (SLOT_0, SLOT_0),  # stopped and started within a slot it has claimed: not a second time
        (SLOT_0 + 9, SLOT_0 - 1),  # the market clock went back: heal
    ],
)
def test_a_start_owes_the_current_slot_and_no_older_one(last_slot: int, expected: int) -> None:
    bot = make_bot(status=BotStatus.STOPPED, last_slot=last_slot)
    assert lifecycle.start(bot, now=NOW, actor="test").last_slot == expected
    bot.refresh_from_db()
    assert bot.last_slot == expected


def test_a_long_reason_is_cut_on_the_row() -> None:
    bot = lifecycle.pause(make_bot(), now=NOW, actor="test", reason="x" * 300)
    bot.refresh_from_db()
    assert bot.status_reason == "x" * 200
