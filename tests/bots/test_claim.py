"""One slot, one tick: the claim, the lease, the release, and lateness."""

import threading
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from bots.lifecycle import LEASE, borrow_lease, claim_tick, is_late, release, why_not_claimed
from bots.models import Bot, BotStatus
from market.clock import Now
from market.slots import TIMEFRAMES, slot_start_ms
from tests.factories import SLOT_0, make_bot, now_at

NOW = now_at()


def later(seconds: float, now: Now = NOW) -> Now:
    return Now(wall_ms=now.wall_ms + round(seconds * 1000), market_ms=now.market_ms + round(seconds * 1000))


def test_a_lease_outlives_any_task() -> None:
    assert timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT) < LEASE


@pytest.mark.django_db
@pytest.mark.parametrize("status", [BotStatus.RUNNING, BotStatus.PAUSED, BotStatus.HALTED])
def test_whoever_is_in_service_ticks_once_per_slot(status: BotStatus) -> None:
    bot = make_bot(status=status)
    claim = claim_tick(bot.pk, SLOT_0, NOW, token="mine")
    assert claim is not None
    assert (claim.bot_id, claim.slot, claim.token, claim.until) == (bot.pk, SLOT_0, "mine", NOW.wall_at + LEASE)
    assert claim_tick(bot.pk, SLOT_0, NOW) is None
    assert release(claim, later(1), failed=False)
    assert claim_tick(bot.pk, SLOT_0, later(2)) is None
    assert why_not_claimed(bot.pk, SLOT_0, later(2)) == f"slot {SLOT_0} is claimed already"


@pytest.mark.django_db
def test_a_running_tick_keeps_the_next_slot_out_until_its_lease_ends() -> None:
    bot = make_bot()
    assert claim_tick(bot.pk, SLOT_0 - 1, NOW) is not None
    soon = later(99)
    assert claim_tick(bot.pk, SLOT_0, soon) is None
    assert why_not_claimed(bot.pk, SLOT_0, soon) == "still ticking, leased for 1 s more"
    assert claim_tick(bot.pk, SLOT_0, later(100.001)) is not None


@pytest.mark.django_db
def test_a_lease_of_before_the_clock_was_set_back_does_not_hold_for_so_long() -> None:
    bot = make_bot()
    assert claim_tick(bot.pk, SLOT_0, NOW) is not None  # and its process cannot give it back
    set_back = later(-3600)
    assert borrow_lease(bot.pk, set_back, "a hand") is not None


@pytest.mark.django_db
def test_a_lease_of_a_machine_whose_clock_is_a_little_ahead_holds() -> None:
    bot = make_bot()
    assert claim_tick(bot.pk, SLOT_0, NOW) is not None
    assert borrow_lease(bot.pk, later(-30), "a hand") is None


@pytest.mark.django_db
def test_a_release_after_the_lease_was_taken_over_changes_nothing() -> None:
    bot = make_bot()
    dead = claim_tick(bot.pk, SLOT_0 - 1, NOW)
    heir = claim_tick(bot.pk, SLOT_0, later(101))
    assert dead is not None
    assert heir is not None
    assert not release(dead, later(102), failed=True)
    bot.refresh_from_db()
    assert (bot.lease_token, bot.ticks, bot.ticks_failed) == (heir.token, 0, 0)


@pytest.mark.django_db
@pytest.mark.parametrize(("failed", "counts"), [(False, (1, 0)), (True, (1, 1))])
def test_a_release_counts_the_tick(failed: bool, counts: tuple[int, int]) -> None:
    bot = make_bot()
    claim = claim_tick(bot.pk, SLOT_0, NOW)
    assert claim is not None
    assert release(claim, later(3), failed=failed)
    assert not release(claim, later(3), failed=failed)
    bot.refresh_from_db()
    assert (bot.ticks, bot.ticks_failed) == counts
    assert (bot.lease_token, bot.lease_until, bot.last_tick_at) == ("", None, later(3).wall_at)


@pytest.mark.django_db
def test_why_a_claim_was_refused() -> None:
    stopped = make_bot(status=BotStatus.STOPPED)
    ahead = make_bot(last_slot=SLOT_0 + 7)
    bot = make_bot()
    assert claim_tick(stopped.pk, SLOT_0, NOW) is None
    assert why_not_claimed(stopped.pk, SLOT_0, NOW) == "stopped"
    assert claim_tick(ahead.pk, SLOT_0, NOW) is None
    assert why_not_claimed(ahead.pk, SLOT_0, NOW).startswith("the market clock went back")
    assert claim_tick(bot.pk, SLOT_0 + 1, NOW) is None
    assert why_not_claimed(bot.pk, SLOT_0 + 1, NOW) == f"slot {SLOT_0 + 1} has not begun, now is {SLOT_0}"
    assert claim_tick(4711, SLOT_0, NOW) is None
    assert why_not_claimed(4711, SLOT_0, NOW) == "no such bot"
    assert why_not_claimed(bot.pk, SLOT_0, NOW) == "somebody else was faster"


@pytest.mark.django_db
def test_a_slot_of_the_old_timeframe_cannot_block_the_bot() -> None:
    """The task read 15m, an operator changed the bot to 4h, then the task claims."""
    bot = make_bot(timeframe="15m")
    bot.timeframe = "4h"
    bot.save()
    assert claim_tick(bot.pk, SLOT_0, NOW) is None
    assert claim_tick(bot.pk, SLOT_0 // 16, NOW) is not None


@pytest.mark.django_db(transaction=True)
def test_of_eight_claimers_exactly_one_wins() -> None:
    bot = make_bot()
    rounds = 20
    barrier = threading.Barrier(8)
    won: list[int] = []

    def claimer() -> None:
        try:
            for number in range(rounds):
                barrier.wait(timeout=10)
                slot = SLOT_0 - rounds + number
                claim = claim_tick(bot.pk, slot, NOW)
                if claim is not None:
                    won.append(slot)
                barrier.wait(timeout=10)
                if claim is not None:
                    assert release(claim, NOW, failed=False)
        finally:
            connection.close()

    threads = [threading.Thread(target=claimer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert won == list(range(SLOT_0 - rounds, SLOT_0))
    assert Bot.objects.get(pk=bot.pk).ticks == rounds


@pytest.mark.parametrize(
    ("timeframe", "speed", "allowed_s"),
    [
        ("15m", 1, 90),  # a tenth
        ("1h", 1, 300),  # five minutes
        ("4h", 1, 300),
        ("15m", 60, 300),  # five seconds of wall time
        ("15m", 600, 3000),  # longer than the slot: never late within it
        ("4h", 18, 300),
    ],
)
def test_lateness(timeframe: str, speed: float, allowed_s: int) -> None:
    interval = TIMEFRAMES[timeframe]
    due = slot_start_ms(1000, interval) + 40_000
    assert not is_late(1000, interval, 40, Now(0, due + allowed_s * 1000), speed)
    assert is_late(1000, interval, 40, Now(0, due + allowed_s * 1000 + 1), speed)
    assert not is_late(1000, interval, 40, Now(0, due - 39_000), speed)


@given(
    interval=st.sampled_from(list(TIMEFRAMES.values())),
    slot=st.integers(0, 10**7),
    speed=st.floats(1, 3600),
    wall_s=st.floats(0, 5),
)
def test_nobody_is_late_within_five_wall_seconds(interval: int, slot: int, speed: float, wall_s: float) -> None:
    at_ms = slot_start_ms(slot, interval) + int(wall_s * speed * 1000)
    assert not is_late(slot, interval, 0, Now(0, at_ms), speed)
