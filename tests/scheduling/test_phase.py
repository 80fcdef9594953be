"""When a slot is due: no drift, no missed slot, no early ring."""

from hypothesis import given
from hypothesis import strategies as st

from market.clock import Clock, Now
from market.slots import TIMEFRAMES, slot_at, slot_start_ms
from tradingplatform.phase import coming_slot, due_ms, due_wall_ms, expires_s, owed_slot

intervals = st.sampled_from(list(TIMEFRAMES.values()))
slots = st.integers(1, 3_000_000)
share = st.floats(0, 0.1)
clocks = st.builds(
    Clock,
    origin_wall_ms=st.integers(1_700_000_000_000, 1_900_000_000_000),
    origin_market_ms=st.integers(1_500_000_000_000, 2_000_000_000_000),
    speed=st.floats(1, 3600),
)


@given(interval=intervals, slot=slots, share=share, clock=clocks)
def test_the_due_wall_time_is_never_early_and_a_millisecond_late_at_most(
    interval: int, slot: int, share: float, clock: Clock
) -> None:
    stagger = int(interval * share)
    wall = due_wall_ms(slot, interval, stagger, clock)
    assert clock.market_ms(wall) >= due_ms(slot, interval, stagger)
    assert clock.market_ms(wall - 2) < due_ms(slot, interval, stagger)


@given(interval=intervals, slot=slots, share=share, into=st.floats(0, 0.999))
def test_a_slot_is_owed_once_from_its_phase_to_its_end(interval: int, slot: int, share: float, into: float) -> None:
    stagger = int(interval * share)
    market = slot_start_ms(slot, interval) + int(into * interval * 1000)
    due = market >= due_ms(slot, interval, stagger)
    assert owed_slot(market, interval, stagger, sent=slot - 1) == (slot if due else None)
    assert owed_slot(market, interval, stagger, sent=slot) is None
    assert owed_slot(market, interval, stagger, sent=slot - 5000) == (slot if due else None)  # missed ones coalesce
    assert owed_slot(market, interval, stagger, sent=slot + 9) == (slot if due else None)  # the clock went back
    assert coming_slot(market, interval, sent=slot - 1) == slot
    assert coming_slot(market, interval, sent=slot) == slot + 1
    assert coming_slot(market, interval, sent=slot - 5000) == slot


def test_a_hundred_thousand_slots_without_drift() -> None:
    """Woken each time a little late, as beat is: each slot is sent once, at its own phase."""
    clock = Clock(origin_wall_ms=1_800_000_000_123, origin_market_ms=1_700_000_000_456, speed=61.7)
    interval, stagger, lag_ms = 900, 46, 7
    sent = slot_at(clock.market_ms(clock.origin_wall_ms), interval)
    first = sent
    for _ in range(100_000):
        wall = due_wall_ms(
            coming_slot(clock.market_ms(clock.wall_ms(due_ms(sent, interval, 0))), interval, sent),
            interval,
            stagger,
            clock,
        )
        market = clock.market_ms(wall + lag_ms)
        owed = owed_slot(market, interval, stagger, sent)
        assert owed == sent + 1
        late_ms = market - due_ms(owed, interval, stagger)
        assert lag_ms * 61 <= late_ms <= (lag_ms + 2) * 62
        sent = owed
    assert sent - first == 100_000


@given(interval=intervals, slot=slots, clock=clocks, into=st.floats(0, 1))
def test_a_message_expires_when_the_next_slot_begins(interval: int, slot: int, clock: Clock, into: float) -> None:
    begins, ends = (clock.wall_ms(slot_start_ms(slot + step, interval)) for step in (0, 1))
    wall = begins + int(into * (ends - begins))
    seconds = expires_s(slot, interval, clock, Now(wall, clock.market_ms(wall)))
    assert seconds == max(1.0, (ends - wall) / 1000)
