"""Market time goes on where it stopped: no jump, and never back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.clock import Clock, load_clock, save_clock
from tradingplatform.launcher import marketclock
from tradingplatform.launcher.marketclock import resumed
from tradingplatform.launcher.refusal import Refusal

START = 1_700_000_000_000
moments = st.integers(min_value=START, max_value=START + 10**11)
speeds = st.floats(min_value=1, max_value=3600)


def test_a_first_start_begins_where_it_is_told():
    assert resumed(None, None, START, 60, START - 5) == Clock(START, START - 5, 60)


@given(wall=moments, pause_ms=st.integers(0, 10**10), run_ms=st.integers(0, 10**8), old=speeds, new=speeds)
def test_an_orderly_stop_leaves_no_gap(wall, pause_ms, run_ms, old, new):
    before = Clock(wall, START, old)
    stopped_ms = before.market_ms(wall + run_ms)

    after = resumed(before, stopped_ms, wall + run_ms + pause_ms, new, 0)

    assert after.market_ms(wall + run_ms + pause_ms) == stopped_ms


@given(wall=moments, since_mark_ms=st.integers(0, 1999), speed=speeds, pause_ms=st.integers(0, 10**10))
def test_a_kill_never_takes_market_time_back_and_loses_two_seconds_at_most(wall, since_mark_ms, speed, pause_ms):
    before = Clock(wall, START, speed)
    mark_ms = before.market_ms(wall + 2000)
    killed_at = wall + since_mark_ms

    after = resumed(before, mark_ms, killed_at + pause_ms, speed, 0)

    seen, resumed_at = before.market_ms(killed_at), after.market_ms(killed_at + pause_ms)
    assert seen <= resumed_at <= seen + 2000 * speed + 1


@given(wall=moments, off_ms=st.integers(0, 10**10), speed=speeds)
def test_without_a_mark_the_clock_is_believed_to_have_run_on(wall, off_ms, speed):
    before = Clock(wall, START, speed)

    assert resumed(before, None, wall + off_ms, speed, 0).origin_market_ms == before.market_ms(wall + off_ms)


def test_the_mark_is_ahead_of_the_market(tmp_path):
    clock = Clock(START, START, 60)

    marketclock.mark_ahead(tmp_path, clock, START + 1000)

    assert marketclock.read_mark(tmp_path) == START + 3 * 60_000


@pytest.mark.parametrize("damage", ["", "half", None])
def test_a_damaged_mark_is_no_mark(tmp_path, damage):
    if damage is not None:
        (tmp_path / "market_seen").write_text(damage)

    assert marketclock.read_mark(tmp_path) is None


def test_a_damaged_clock_is_told_and_not_guessed(tmp_path):
    (tmp_path / "clock.json").write_text("{}}")

    with pytest.raises(Refusal, match=r"clock\.json is not a clock anchor .*restore it"):
        marketclock.clock_of_last_run(tmp_path)


def test_a_run_after_a_run(tmp_path, monkeypatch):
    monkeypatch.setattr(marketclock, "wall_now_ms", lambda: START)
    first = marketclock.resume(tmp_path, 60, START, marketclock.read_mark(tmp_path))
    marketclock.write_mark(tmp_path, first.market_ms(START + 10_000))

    monkeypatch.setattr(marketclock, "wall_now_ms", lambda: START + 3_600_000)
    second = marketclock.resume(tmp_path, 1, START, marketclock.read_mark(tmp_path))

    assert second == Clock(START + 3_600_000, START + 600_000, 1)
    assert marketclock.clock_of_last_run(tmp_path) == second


def test_while_the_platform_is_off_market_time_stands_still(tmp_path):
    save_clock(tmp_path / "clock.json", Clock(START, START, 60))
    marketclock.stand_still(tmp_path, START + 1_000)
    clock = load_clock(tmp_path / "clock.json")
    assert clock.market_ms(START + 1_000) == clock.market_ms(START + 10**9) == START + 60_000
    assert marketclock.read_mark(tmp_path) == START + 60_000
    after = marketclock.resume(tmp_path, 60, 0, START + 60_000)
    assert after.stopped_ms is None
    assert load_clock(tmp_path / "clock.json") == after


def test_the_time_of_a_real_exchange_does_not_stand_still(tmp_path):
    save_clock(tmp_path / "clock.json", Clock())
    marketclock.stand_still(tmp_path, START)
    assert load_clock(tmp_path / "clock.json").market_ms(START + 5) == START + 5
