"""What a person does about the dead man's switch."""

from datetime import timedelta

import pytest
from django.db import transaction

from bots.models import Bot, BotStatus
from market.clock import Now
from notifications.models import AuditEntry, Event
from risk.deadman import pull
from risk.models import DeadMansSwitch
from tests.factories import make_account, make_bot, now_at
from tradingplatform.acting import By
from tradingplatform.checkin_code import WINDOW_MS, code_shown, is_code
from tradingplatform.dead_man import challenge, check_in, reset_switch, set_timeout
from tradingplatform.drill import drill
from tradingplatform.heartbeats import CHAIN, GUARD, RECONCILER, beat

pytestmark = pytest.mark.django_db
MINUTE_MS = 60_000
START = now_at()


def after(minutes: float) -> Now:
    return Now(START.wall_ms + round(minutes * MINUTE_MS), START.market_ms)


def by(minutes: float = 0, actor: str = "ann", reason: str = "") -> By:
    return By(actor, after(minutes), reason)


def row() -> DeadMansSwitch:
    return DeadMansSwitch.objects.get()


def latch(minutes: float = 0) -> DeadMansSwitch:
    """As when nobody came for a day."""
    long_ago = after(minutes).wall_at - timedelta(days=1)
    DeadMansSwitch.objects.update(last_checkin_at=long_ago, high_water_at=long_ago)
    with transaction.atomic():
        assert pull(after(minutes))
    return row()


def audited() -> list[str]:
    return list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))


# the code

LAST = START.wall_at
WINDOW_BEGINS = START.wall_ms - START.wall_ms % WINDOW_MS

CODES = [
    # minutes after the window began in which it was shown, who types it, after which check-in -> taken
    (0, "ann", LAST, True),
    (9.99, "ann", LAST, True),
    (10, "ann", LAST, True),  # the next window
    (19.99, "ann", LAST, True),
    (20, "ann", LAST, False),
    (1500, "ann", LAST, False),
    (-0.01, "ann", LAST, False),  # the window before: no code comes from the future
    (0, "bob", LAST, False),
    (0, "ann", LAST + timedelta(microseconds=1), False),
]


@pytest.mark.parametrize(("minutes", "actor", "last", "taken"), CODES)
def test_who_may_use_a_code_and_when(minutes, actor, last, taken):
    code = code_shown(LAST, "ann", WINDOW_BEGINS)
    assert len(code) == 6
    assert code.isdecimal()
    assert is_code(code, last, actor, WINDOW_BEGINS + round(minutes * MINUTE_MS)) is taken


@pytest.mark.parametrize("typed", ["", "0", "abcdef", "1234567", "\u0661\u0662\u0663\u0664\u0665\u0666"])
def test_what_is_no_code(typed):
    assert not is_code(typed, LAST, "ann", START.wall_ms)


def test_spaces_in_a_code_do_not_matter():
    code = code_shown(LAST, "ann", START.wall_ms)
    assert is_code(f" {code[:3]} {code[3:]} ", LAST, "ann", START.wall_ms)


# check-in


def test_a_check_in_is_told_audited_and_good_for_once():
    make_bot()
    seen = challenge(by())
    assert [str(line) for line in seen.exposure.lines()][-1] == "1 bot running"
    check_in(by(1), seen.code)
    assert (row().last_checkin_at, row().last_checkin_by) == (after(1).wall_at, "ann")
    with pytest.raises(ValueError, match="not the code shown"):
        check_in(by(2), seen.code)
    assert row().last_checkin_at == after(1).wall_at
    assert audited() == ["check_in", "checkin_refused"]
    assert list(Event.objects.order_by("pk").values_list("kind", flat=True)) == ["checked_in", "checkin_refused"]


def test_a_message_is_credited_from_when_it_was_sent():
    make_account()
    check_in(by(10), challenge(by(9)).code, sent_at_ms=after(2).wall_ms)
    assert row().last_checkin_at == after(2).wall_at
    with pytest.raises(ValueError, match="not newer"):
        check_in(by(11), challenge(by(11)).code, sent_at_ms=after(1).wall_ms)
    check_in(by(12), challenge(by(12)).code, sent_at_ms=after(500).wall_ms)
    assert row().last_checkin_at == after(12).wall_at


def test_a_check_in_resets_nothing():
    make_account()
    code = challenge(by()).code
    latched = latch()
    with pytest.raises(ValueError, match="reset_switch"):
        check_in(by(1), code)
    assert (row().latched_at, row().last_checkin_at) == (latched.latched_at, latched.last_checkin_at)


# reset


def test_a_reset_pauses_every_running_bot_and_is_audited():
    account = make_account()
    running = [make_bot(account), make_bot(account)]
    halted = make_bot(account, status=BotStatus.HALTED)
    latch()
    assert reset_switch(by(5, reason="back from the mountains")) == 2
    assert not pull(after(6))
    paused = Bot.objects.filter(status=BotStatus.PAUSED, status_reason="the dead man's switch was reset")
    assert set(paused) == set(running)
    assert Bot.objects.get(pk=halted.pk).status == BotStatus.HALTED
    assert Event.objects.filter(kind="bot_paused").count() == 2
    entry = AuditEntry.objects.get(action="reset_switch")
    assert (entry.actor, entry.reason) == ("ann", "back from the mountains")
    assert entry.after == {"drill": False, "paused": [bot.name for bot in running]}


def test_what_fails_in_a_reset_leaves_the_switch_latched(monkeypatch):
    make_bot()
    latch()

    def broken(*_, **__):
        raise RuntimeError("the disk is full")

    monkeypatch.setattr("bots.lifecycle.publish", broken)
    with pytest.raises(RuntimeError):
        reset_switch(by(5, reason="x"))
    assert row().latched_at is not None
    assert Bot.objects.get().status == BotStatus.RUNNING
    assert audited() == []


def test_a_reset_sent_twice_is_one_and_not_that_of_the_next_trigger():
    make_bot()
    first = latch().latched_at
    assert reset_switch(by(1, reason="x"), first) == 1
    with pytest.raises(ValueError, match="nothing to reset"):
        reset_switch(by(1, reason="x"), first)
    latch(2000)
    with pytest.raises(ValueError, match="triggered again"):
        reset_switch(by(2001, reason="x"), first)
    assert audited() == ["reset_switch"]
    assert row().latched_at is not None


def test_a_reset_needs_a_reason():
    make_account()
    latch()
    with pytest.raises(ValueError, match="reason"):
        reset_switch(by(1, reason="  "))
    assert row().latched_at is not None


def test_a_longer_timeout_does_not_rescue_an_overdue_switch():
    make_account()
    long_ago = START.wall_at - timedelta(hours=25)
    DeadMansSwitch.objects.update(last_checkin_at=long_ago, high_water_at=long_ago)
    set_timeout(by(reason="a holiday"), timedelta(days=3))
    assert row().latched_at == START.wall_at


# drill


def alive(minutes: float = 0) -> None:
    for name in (CHAIN, GUARD, RECONCILER):
        beat(name, after(minutes))


def test_a_drill_triggers_asks_the_gate_and_ends_with_the_reset():
    make_bot()
    alive()
    findings = drill(by(reason="it is due"))
    assert [finding.what for finding in findings if finding.problem] == []
    assert row().latched_at == START.wall_at
    assert row().drilled_at is None
    with pytest.raises(ValueError, match="triggered already"):
        drill(by(1, reason="again"))
    assert reset_switch(by(2, reason="end of the drill")) == 1
    assert row().drilled_at == after(2).wall_at
    assert audited() == ["drill", "drill_passed", "reset_switch"]


def test_a_drill_while_nobody_watches_does_not_count():
    make_bot()
    alive(-10)
    failed = [finding for finding in drill(by(reason="it is due")) if finding.problem]
    assert [finding.what for finding in failed] == ["those who repeat it are alive"]
    assert "guard is 600 s old" in failed[0].problem
    reset_switch(by(2, reason="end of the drill"))
    assert row().drilled_at is None


def test_a_drill_finds_a_gate_that_does_not_ask_the_switch(monkeypatch):
    make_bot()
    alive()
    monkeypatch.setattr("execution.portfolio.pull", lambda _: False)  # a planted bug
    failed = [finding for finding in drill(by(reason="it is due")) if finding.problem]
    assert [finding.what for finding in failed] == ["the gate refuses an entry"]
    reset_switch(by(1, reason="end of the drill"))
    assert row().drilled_at is None


def test_a_real_trigger_is_no_drill():
    make_bot()
    alive()
    drill(by(reason="it is due"))
    reset_switch(by(1, reason="end of the drill"))
    latch(3000)
    reset_switch(by(3001, reason="slept"))
    assert row().drilled_at == after(1).wall_at
