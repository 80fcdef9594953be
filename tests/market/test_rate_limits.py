"""How limits are read and shared out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from market.rate_limits import (
    SHARES,
    UNTIL_KNOWN,
    Cost,
    Counted,
    Priority,
    RateLimit,
    claims,
    from_binance,
    from_pace,
    limits_of_text,
    text_of_limits,
    weight_window,
)
from tests.recordings import recorded_answer

WEIGHT = RateLimit(Counted.WEIGHT, 60_000, 6_000)
REQUESTS = RateLimit(Counted.REQUESTS, 300_000, 61_000)
ORDERS = RateLimit(Counted.ORDERS, 10_000, 100)
MIDDLE_MS = 1_700_000_010_000  # in the middle of every window


def test_the_limits_of_binance_today():
    listed = [
        {"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": 6000},
        {"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 100},
        {"rateLimitType": "ORDERS", "interval": "DAY", "intervalNum": 1, "limit": 200000},
        {"rateLimitType": "RAW_REQUESTS", "interval": "MINUTE", "intervalNum": 5, "limit": 61000},
        {"rateLimitType": "CONNECTIONS", "interval": "MINUTE", "intervalNum": 5, "limit": 300},
    ]
    assert from_binance(listed) == (WEIGHT, ORDERS, RateLimit(Counted.ORDERS, 86_400_000, 200_000), REQUESTS)


def test_recorded_limits():
    limits = from_binance(recorded_answer("api_v3_exchangeInfo.json")["rateLimits"])
    assert {limit.counted for limit in limits} >= {Counted.WEIGHT, Counted.ORDERS}


@pytest.mark.parametrize("row", [{}, {"rateLimitType": "ORDERS"}])
def test_what_is_not_documented_is_an_error(row):
    with pytest.raises(KeyError):
        from_binance([row])


def test_what_it_has_never_heard_of_is_passed_over():
    weekly = {"rateLimitType": "ORDERS", "interval": "WEEK", "intervalNum": 1, "limit": 1}
    assert from_binance([weekly, {**weekly, "interval": "DAY"}]) == (RateLimit(Counted.ORDERS, 86_400_000, 1),)


@pytest.mark.parametrize(("pace_ms", "limit"), [(50, 1200), (1000, 60), (3000, 20), (0, 60_000), (10**9, 1)])
def test_an_exchange_that_names_a_pace(pace_ms, limit):
    assert from_pace(pace_ms) == (RateLimit(Counted.REQUESTS, 60_000, limit),)


def test_the_urgent_may_use_more_of_it():
    ceilings = [claims([WEIGHT], priority, Cost(2), MIDDLE_MS)[0].ceiling for priority in Priority]
    assert ceilings == [5400, 4800, 4500, 3600, 2400]
    assert list(SHARES) == list(Priority)


def test_a_read_counts_weight_and_one_request():
    found = claims([WEIGHT, REQUESTS, ORDERS], Priority.CANDLES, Cost(2), MIDDLE_MS)
    assert [(claim.window, claim.amount) for claim in found] == [
        (f"weight:60000:{MIDDLE_MS // 60_000}", 2),
        (f"requests:300000:{MIDDLE_MS // 300_000}", 1),
    ]


def test_orders_count_by_account():
    found = claims([WEIGHT, ORDERS], Priority.EXITS, Cost(1, orders=1, account="main"), MIDDLE_MS)
    assert [claim.window for claim in found][1] == f"orders:main:10000:{MIDDLE_MS // 10_000}"
    assert found[1].ceiling == 90


@pytest.mark.parametrize(("before_end_ms", "windows"), [(1_001, 1), (1_000, 2), (1, 2)])
def test_what_is_sent_shortly_before_a_window_ends_is_claimed_in_both(before_end_ms, windows):
    end_ms = (MIDDLE_MS // 60_000 + 1) * 60_000
    found = claims([WEIGHT], Priority.CANDLES, Cost(2), end_ms - before_end_ms)
    assert len(found) == windows
    assert found[0].ends_in_ms == before_end_ms


@given(at_ms=st.integers(10**12, 2 * 10**12), priority=st.sampled_from(Priority), weight=st.integers(1, 100))
def test_a_claim_ends_with_its_own_window(at_ms, priority, weight):
    for claim in claims([WEIGHT, REQUESTS, ORDERS], priority, Cost(weight, 1, "a"), at_ms):
        length_ms, number = (int(part) for part in claim.window.split(":")[-2:])
        assert (at_ms + claim.ends_in_ms) == (number + 1) * length_ms
        assert 0 < claim.ends_in_ms <= 2 * length_ms


def test_the_window_that_the_header_speaks_of():
    assert weight_window([ORDERS, WEIGHT], MIDDLE_MS) == claims([WEIGHT], Priority.EXITS, Cost(1), MIDDLE_MS)[0].window
    assert weight_window([ORDERS], MIDDLE_MS) is None


def test_until_it_has_told_the_budget_is_small():
    assert (RateLimit(Counted.WEIGHT, 60_000, 1_200),) == UNTIL_KNOWN


@given(
    st.lists(st.builds(RateLimit, st.sampled_from(Counted), st.integers(1, 10**9), st.integers(1, 10**9)), max_size=4)
)
def test_limits_are_the_same_after_a_way_through_redis(limits):
    assert limits_of_text(text_of_limits(limits).encode()) == tuple(limits)
