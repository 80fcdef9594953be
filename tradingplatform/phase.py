"""When a bot's slot is due, on both clocks. PURE.

A bot ticks at ``slot start + stagger``, for ever: there is nothing to drift, and an outage cannot move it. All
times are UTC milliseconds, intervals and staggers are seconds of market time.
"""

from market.clock import Clock, Now
from market.slots import slot_at, slot_start_ms

SHORTEST_EXPIRY_S = 1.0  # at high speed a slot is over sooner than a worker can fetch a message


def due_ms(slot: int, interval_s: int, stagger_s: int) -> int:
    """The market time at which this slot is due."""
    return slot_start_ms(slot, interval_s) + stagger_s * 1000


def due_wall_ms(slot: int, interval_s: int, stagger_s: int, clock: Clock) -> int:
    """The wall time at which the slot is due: never before it, and at most a millisecond after."""
    due = due_ms(slot, interval_s, stagger_s)
    wall = clock.wall_ms(due)
    return wall if clock.market_ms(wall) >= due else wall + 1


def owed_slot(market_ms: int, interval_s: int, stagger_s: int, sent: int) -> int | None:
    """The current slot, if it is due and not sent; all that were missed before it coalesce into it."""
    slot = slot_at(market_ms, interval_s)
    return slot if slot != sent and market_ms >= due_ms(slot, interval_s, stagger_s) else None


def coming_slot(market_ms: int, interval_s: int, sent: int) -> int:
    """The slot to wait for: the current one until it is sent, then the next."""
    slot = slot_at(market_ms, interval_s)
    return slot + 1 if slot == sent else slot


def expires_s(slot: int, interval_s: int, clock: Clock, now: Now) -> float:
    """Wall seconds after which a message for this slot is worth nothing: the next slot has begun."""
    return max(SHORTEST_EXPIRY_S, (clock.wall_ms(slot_start_ms(slot + 1, interval_s)) - now.wall_ms) / 1000)
