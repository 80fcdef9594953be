"""Two clocks, and the slots on one of them."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from market.clock import Clock, load_clock, moment, save_clock
from market.slots import TIMEFRAMES, interval_s, slot_at, slot_start_ms

WALL = 1_750_000_000_000
SPEEDS = st.sampled_from([1.0, 1.5, 7.0, 60.0, 600.0, 3600.0])
CLOCKS = st.builds(Clock, st.just(WALL), st.integers(1_600_000_000_000, 1_800_000_000_000), SPEEDS)


@given(clock=CLOCKS, later_ms=st.integers(0, 10**9))
def test_the_wall_time_of_a_market_time_is_the_first_that_has_reached_it(clock, later_ms):
    market_ms = clock.origin_market_ms + later_ms
    wall_ms = clock.wall_ms(market_ms)
    assert clock.market_ms(wall_ms) >= market_ms
    assert clock.market_ms(wall_ms - 2) < market_ms


@given(clock=CLOCKS, slot_ahead=st.integers(0, 10_000), interval=st.sampled_from(sorted(TIMEFRAMES.values())))
def test_an_act_planned_for_a_slot_falls_into_it(clock, slot_ahead, interval):
    slot = slot_at(clock.origin_market_ms, interval) + 1 + slot_ahead
    planned_ms = clock.wall_ms(slot_start_ms(slot, interval))
    assert slot_at(clock.market_ms(planned_ms), interval) == slot


@given(clock=CLOCKS, wall_ms=st.integers(WALL, WALL + 10**9), speed=SPEEDS)
def test_a_resumed_clock_goes_on_without_a_jump(clock, wall_ms, speed):
    market_ms = clock.market_ms(wall_ms)
    resumed = clock.resumed(wall_ms, market_ms, speed)
    assert resumed.market_ms(wall_ms) == market_ms
    assert resumed.market_ms(wall_ms + 1000) == market_ms + round(1000 * speed)


def test_at_speed_one_both_clocks_are_the_same():
    now = Clock().now()
    assert now.wall_ms == now.market_ms
    assert now.market_at.tzinfo is not None
    assert now.market_at == moment(now.market_ms)


@given(clock=CLOCKS)
def test_a_stored_clock_comes_back(clock, tmp_path_factory):
    path = tmp_path_factory.mktemp("clock") / "clock.json"
    save_clock(path, clock)
    assert load_clock(path) == clock


def test_no_anchor_means_wall_time(tmp_path):
    assert load_clock(tmp_path / "clock.json") == Clock()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        "null",
        '{"speed": 60}',
        '{"origin_wall_ms": 1, "origin_market_ms": 2, "speed": 0}',
        '{"origin_wall_ms": 1, "origin_market_ms": 2, "speed": -1}',
        '{"origin_wall_ms": 1, "origin_market_ms": 2, "speed": NaN}',
        '{"origin_wall_ms": "soon", "origin_market_ms": 2, "speed": 1}',
        json.dumps({"origin_wall_ms": None, "origin_market_ms": 2, "speed": 1}),
    ],
)
def test_a_broken_anchor_is_not_guessed(tmp_path, text):
    path = tmp_path / "clock.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="not a clock anchor"):
        load_clock(path)


@given(market_ms=st.integers(0, 10**13), interval=st.sampled_from(sorted(TIMEFRAMES.values())))
def test_every_moment_lies_in_exactly_one_slot(market_ms, interval):
    slot = slot_at(market_ms, interval)
    assert slot_start_ms(slot, interval) <= market_ms < slot_start_ms(slot + 1, interval)


@given(first=st.integers(0, 10**13), second=st.integers(0, 10**13))
def test_slots_never_go_back(first, second):
    assume(first <= second)
    assert slot_at(first, 900) <= slot_at(second, 900)


def test_an_unknown_timeframe_names_the_known_ones():
    with pytest.raises(ValueError, match=r"'5m'.*15m, 1h, 4h"):
        interval_s("5m")
