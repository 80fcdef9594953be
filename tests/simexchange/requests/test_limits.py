"""Weight, orders and bans on a clock that the test moves."""

from __future__ import annotations

import pytest

from simexchange.errors.api_error import ApiError
from simexchange.requests.limits import Client, Limits, OrderCount

MINUTE_MS = 60_000
NOON_MS = 1_760_000_040_000 - 1_760_000_040_000 % MINUTE_MS


def refusal(client: Client, limits: Limits, now_ms: int, weight: int = 1) -> ApiError:
    with pytest.raises(ApiError) as error:
        client.charge(weight, limits, now_ms)
    return error.value


def test_the_whole_weight_of_a_minute_may_be_used_and_is_back_in_the_next() -> None:
    client, limits = Client(), Limits.at_speed(1)
    for _ in range(75):
        client.charge(80, limits, NOON_MS)
    error = refusal(client, limits, NOON_MS + 53_000)
    assert (error.status, error.code, error.retry_after_s) == (429, -1003, 7)
    client.charge(80, limits, NOON_MS + MINUTE_MS)
    assert client.weight.used == 80


def test_going_on_after_429_ends_in_a_ban_that_grows() -> None:
    client, limits = Client(), Limits.at_speed(1, weight=10)
    client.charge(10, limits, NOON_MS)
    statuses = [refusal(client, limits, NOON_MS + n).status for n in range(21)]
    assert statuses == [429] * 20 + [418]
    ban = refusal(client, limits, NOON_MS + 60_021)
    assert (ban.status, ban.retry_after_s) == (418, 60)
    assert str(client.banned_until_ms) in ban.msg
    client.charge(1, limits, client.banned_until_ms)
    later = client.banned_until_ms + MINUTE_MS
    client.charge(10, limits, later)
    last = [refusal(client, limits, later).retry_after_s for _ in range(21)][-1]
    assert last == 240


def test_limits_grow_with_speed_but_never_shrink() -> None:
    assert Limits.at_speed(60) == Limits(360_000, 6_000, 12_000_000, 3_660_000)
    assert Limits.at_speed(0.1) == Limits.at_speed(1) == Limits(6_000, 100, 200_000, 61_000)


def test_clients_are_told_the_limits_that_hold() -> None:
    told = {(row["rateLimitType"], row["interval"]): row["limit"] for row in Limits.at_speed(2).as_rate_limits()}
    assert told[("REQUEST_WEIGHT", "MINUTE")] == 12_000
    assert told[("ORDERS", "SECOND")] == 200


def test_too_many_orders_in_ten_seconds() -> None:
    count, limits = OrderCount(), Limits.at_speed(1)
    for _ in range(100):
        count.check(limits, NOON_MS)
        count.add(NOON_MS)
    with pytest.raises(ApiError) as error:
        count.check(limits, NOON_MS + 6_500)
    assert (error.value.status, error.value.code, error.value.retry_after_s) == (429, -1015, 4)
    count.check(limits, NOON_MS + 10_000)


def test_two_orders_at_once_need_room_for_both() -> None:
    count, limits = OrderCount(), Limits.at_speed(1)
    count.add(NOON_MS, 99)
    count.check(limits, NOON_MS)
    with pytest.raises(ApiError, match="-1015"):
        count.check(limits, NOON_MS, orders=2)


def test_orders_that_begin_to_trade_make_room() -> None:
    """One for an order that took, five for one that had to wait; never more room than an empty window has."""
    count = OrderCount()
    count.add(NOON_MS, 7)
    count.first_fill(is_maker=False)
    assert count.ten_seconds.used == count.day.used == 6
    count.first_fill(is_maker=True)
    assert count.day.used == 1
    count.first_fill(is_maker=True)
    assert count.ten_seconds.used == count.day.used == 0
