"""The door to the exchange on a real Redis: budgets that nobody exceeds together, bans that all heed, outages."""

import threading
import time
from collections import Counter

import pytest
import structlog

from market.access import Access, Ticket
from market.budget import ALONE_SHARE
from market.exchange import Rejected, Transient, Withheld
from market.rate_limits import UNTIL_KNOWN, Cost, Counted, Priority, RateLimit
from market.standing import SIGNS_OF_AN_OUTAGE, Notice, Trouble

DAY_MS = 86_400_000
LONG = RateLimit(Counted.WEIGHT, DAY_MS, 100)  # no test waits for its end (and none runs at midnight for long)
ANY = Cost(2)


def access_to(client, *limits, told=None):
    access = Access(client, "access", lambda notice: None if told is None else told.append(notice))
    access.limits = limits or (LONG,)
    return access


def admitted(access, priority=Priority.CANDLES, cost=ANY, most=200):
    """How many requests are let through before one is not."""
    for number in range(most):
        try:
            access.admit(priority, cost)
        except Withheld:
            return number
    return most


def ticket(priority=Priority.CANDLES):
    return Ticket(priority, None, 0)


# the budget


def test_each_kind_of_request_has_its_share_and_the_urgent_go_on(client):
    access = access_to(client)
    assert admitted(access, Priority.HISTORY) == 20
    assert admitted(access, Priority.CANDLES) == 10  # 20 and 10 make 60 of 100
    assert admitted(access, Priority.PRICES) == 7
    assert admitted(access, Priority.ENTRIES) == 3
    assert admitted(access, Priority.EXITS) == 5
    with pytest.raises(Withheld, match="the budget of weight for exits is used up") as caught:
        access.admit(Priority.EXITS, ANY)
    assert 0 < caught.value.again_in_s <= DAY_MS / 1000


def test_many_at_once_never_exceed_it_together(client, redis_server):
    """Eight threads with connections of their own, as eight processes have."""
    numbers = []

    def hammer():
        numbers.append(admitted(access_to(redis_server.client()), Priority.EXITS))

    threads = [threading.Thread(target=hammer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sum(numbers) == 45  # 90 of 100


def test_one_who_starts_late_in_a_minute_knows_what_the_exchange_told_the_others(client, redis_server):
    """With the smallest limit that there ever was it would find the minute used up, exits too."""
    rule = RateLimit(Counted.WEIGHT, 60_000, 6_000)
    first = access_to(client)
    first.set_limits((rule,))
    for _ in range(2):  # the minute may end in between
        first.admit(Priority.PRICES, Cost(1_200))
        late = Access(redis_server.client(), "access")
        late.admit(Priority.PRICES, Cost(20))
    assert late.limits == (rule,)


def test_limits_that_were_lowered_hold_for_those_who_knew_the_higher_ones(client, redis_server):
    high, low = RateLimit(Counted.WEIGHT, DAY_MS, 1_000), RateLimit(Counted.WEIGHT, DAY_MS, 100)
    first, told, late = (Access(redis_server.client(), "access") for _ in range(3))
    told.set_limits((high,))
    late.admit(Priority.PRICES, ANY)
    first.set_limits((low,))
    for other in (told, late):
        other.admit(Priority.PRICES, ANY)
        assert other.limits == (low,)


def test_limits_that_redis_did_not_take_hold_against_older_ones_that_it_has(client, redis_server, monkeypatch):
    high, low = RateLimit(Counted.WEIGHT, DAY_MS, 1_000), RateLimit(Counted.WEIGHT, DAY_MS, 100)
    access = Access(redis_server.client(), "access")
    access.set_limits((high,))
    with monkeypatch.context() as away:
        away.setattr(access._redis, "usable", lambda: False)
        access.set_limits((low,))
    access.admit(Priority.PRICES, ANY)
    assert access.limits == (low,)


@pytest.mark.parametrize("kept", ["", "nonsense", "weight:x:1", "weight:1", "moons:60000:5"])
def test_what_another_version_kept_of_limits_is_passed_over(client, kept):
    access = Access(client, "access")
    client.set("access:limits", kept)
    access.admit(Priority.PRICES, ANY)
    assert access.limits == UNTIL_KNOWN


def test_orders_are_counted_by_account(client):
    access = access_to(client, RateLimit(Counted.ORDERS, DAY_MS, 10))
    order = Cost(1, orders=1, account="first")
    assert admitted(access, Priority.ENTRIES, order) == 8
    assert admitted(access, Priority.EXITS, order) == 1
    assert admitted(access, Priority.EXITS, Cost(1, orders=1, account="second")) == 9
    assert admitted(access, Priority.CANDLES, ANY, most=50) == 50  # reads are no orders


def test_all_limits_hold_and_a_refused_request_counts_in_none(client):
    access = access_to(client, RateLimit(Counted.REQUESTS, DAY_MS, 1000), LONG)
    assert admitted(access, Priority.CANDLES) == 30
    counted = {key.decode().split(":")[1]: int(client.get(key)) for key in client.keys("access:*:*:*")}
    assert counted == {"requests": 30, "weight": 60}


def test_a_request_that_is_larger_than_its_share_is_made_in_an_empty_window(client):
    access = access_to(client, RateLimit(Counted.WEIGHT, DAY_MS, 10))
    assert admitted(access, Priority.PRICES, Cost(20)) == 1


def test_the_short_wait_for_the_next_window_is_waited(client):
    access = access_to(client, RateLimit(Counted.WEIGHT, 500, 10))
    windows = Counter(access.admit(Priority.CANDLES, ANY).window for _ in range(9))
    assert len(windows) >= 3
    assert max(windows.values()) <= 3  # 2 and 2 and 2 are all of the 60 % of 10


def test_what_others_use_on_this_address_counts_too(client):
    access = access_to(client)
    made = access.admit(Priority.CANDLES, ANY)
    access.answered(made, used_weight=59)
    assert admitted(access_to(client), Priority.CANDLES) == 0
    made = access.admit(Priority.EXITS, ANY)
    access.answered(made, used_weight=3)  # an answer that was long on its way takes nothing back
    assert admitted(access, Priority.CANDLES) == 0


def test_another_address_has_a_budget_of_its_own(client):
    assert admitted(access_to(client)) == 30
    other = Access(client, "access-of-another-host")
    other.limits = (LONG,)
    assert admitted(other) == 30


# told to stay away


@pytest.mark.parametrize(("banned", "trouble"), [(False, Trouble.LIMITED), (True, Trouble.BANNED)])
def test_told_to_wait_everybody_waits_and_one_tells(client, banned, trouble):
    told: list[Notice] = []
    first, second = access_to(client, told=told), access_to(client, told=told)
    error = Transient("429 Too Many Requests", retry_after_s=30, banned=banned)
    for access in (first, second, first):
        access.failed(ticket(), "candles of BTC/USDT 15m", error)
    for access in (first, second, access_to(client)):
        for priority in Priority:
            with pytest.raises(Withheld, match="429 Too Many Requests") as caught:
                access.admit(priority, ANY)
            assert 25 < caught.value.again_in_s <= 30
    assert [(notice.trouble, notice.lasting_s) for notice in told] == [(trouble, 30)]
    assert first.troubles().keys() == {trouble}


def test_it_is_over_when_the_time_is_over(client):
    told: list[Notice] = []
    access = access_to(client, told=told)
    access.failed(ticket(), "x", Transient("429", retry_after_s=0.2))
    with pytest.raises(Withheld):
        access.admit(Priority.EXITS, ANY)
    until = time.monotonic() + 5
    while True:
        try:
            access.admit(Priority.EXITS, ANY)
            break
        except Withheld:
            assert time.monotonic() < until
            time.sleep(0.02)
    assert access.troubles() == {}
    access.failed(ticket(), "x", Transient("429", retry_after_s=0.2))
    assert len(told) == 2


def test_a_longer_time_counts_and_a_shorter_one_does_not(client):
    access = access_to(client)
    for wait_s in (10, 60, 5):
        access.failed(ticket(), "x", Transient("429", retry_after_s=wait_s))
    with pytest.raises(Withheld) as caught:
        access_to(client).admit(Priority.EXITS, ANY)
    assert 55 < caught.value.again_in_s <= 60


def test_a_ban_while_a_limit_lasts_is_told_too(client):
    told: list[Notice] = []
    access = access_to(client, told=told)
    access.failed(ticket(), "x", Transient("429", retry_after_s=60))
    access.failed(ticket(), "x", Transient("418", retry_after_s=30, banned=True))
    assert [notice.trouble for notice in told] == [Trouble.LIMITED, Trouble.BANNED]
    assert access.troubles().keys() == {Trouble.LIMITED, Trouble.BANNED}


def test_told_different_times_at_once_the_longest_counts(client, redis_server):
    def hears(wait_s):
        other = access_to(redis_server.client())
        for _ in range(20):
            other.failed(ticket(), "x", Transient("418", retry_after_s=wait_s, banned=True))

    threads = [threading.Thread(target=hears, args=(wait_s,)) for wait_s in (5, 120, 7, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert client.pttl("access:banned") > 110_000


def test_whoever_has_heard_of_a_ban_heeds_it_though_redis_forgets(client):
    first, second = access_to(client), access_to(client)
    first.failed(ticket(), "x", Transient("418", retry_after_s=60, banned=True))
    with pytest.raises(Withheld):
        second.admit(Priority.EXITS, ANY)
    client.flushall()
    for access in (first, second):
        with pytest.raises(Withheld, match="418"):
            access.admit(Priority.EXITS, ANY)


def test_the_windows_are_the_exchanges_for_all_processes(client):
    """Its clock is half a window ahead: whoever has not measured it hears of it."""
    rule = RateLimit(Counted.WEIGHT, DAY_MS, 100)
    first, second = access_to(client, rule), access_to(client, rule)
    first.set_offset(DAY_MS)
    assert second.admit(Priority.CANDLES, ANY).window != access_to_nobody(rule).admit(Priority.CANDLES, ANY).window
    assert admitted(first) == admitted(second) + 29


def access_to_nobody(rule):
    access = Access()
    access.limits = (rule,)
    return access


# nothing is answered


def down(access, *subjects, priority=Priority.CANDLES):
    for subject in subjects:
        access.failed(ticket(priority), subject, Transient(f"no answer for {subject}"))


def test_one_symbol_that_fails_for_ever_stops_nobody(client):
    access = access_to(client)
    down(access, *["BTC/USDT"] * 50)
    assert access.troubles() == {}
    access.admit(Priority.CANDLES, ANY)


def test_when_no_symbols_candles_are_answered_nobody_asks_for_candles(client):
    told: list[Notice] = []
    access = access_to(client, told=told)
    down(access, "a", "b", "c")
    for other in (access, access_to(client)):
        with pytest.raises(Withheld, match="answers nothing about candles: no answer for c"):
            other.admit(Priority.CANDLES, ANY)
        for priority in (Priority.PRICES, Priority.EXITS):  # they are answered, for all that is known
            other.answered(other.admit(priority, ANY), None)
    assert [notice.trouble for notice in told] == [Trouble.DOWN]
    assert access.troubles().keys() == {Trouble.DOWN}


def test_when_the_pause_is_over_one_tries_and_the_others_wait(client, redis_server):
    everybody = [access_to(redis_server.client()) for _ in range(8)]
    down(everybody[0], "a", "b", "c")
    client.delete("access:down:candles")  # as when it has run out
    assert sum(admitted(access, most=1) for access in everybody) == 1
    down(everybody[0], "a")
    client.delete("access:down:candles")
    assert sum(admitted(access, most=1) for access in everybody) == 1  # the next try is another's, if he comes first
    everybody[0].answered(ticket(), None)
    assert sum(admitted(access, most=1) for access in everybody) == 8


def test_what_is_urgent_is_tried_all_the_same(client):
    access = access_to(client)
    down(access, "a", "b", "c", priority=Priority.EXITS)
    access.admit(Priority.EXITS, ANY)


def test_the_pauses_grow_and_it_is_told_once(client):
    told: list[Notice] = []
    with structlog.testing.capture_logs() as logs:
        access = access_to(client, told=told)
        pauses = []
        for number in range(12):
            down(access, f"symbol {number}")
            pauses.append(client.pttl("access:down:candles"))
            client.delete("access:down:candles")  # as when it has run out
    assert pauses[: SIGNS_OF_AN_OUTAGE - 1] == [-2, -2]
    assert max(pauses) <= 15_000
    assert min(pauses[-3:]) > 7_000
    assert len(told) == 1
    assert [entry["event"] for entry in logs] == ["exchange_trouble"]


def test_eight_that_fail_at_once_are_one_strike(client, redis_server):
    others = [access_to(redis_server.client()) for _ in range(8)]
    for number, other in enumerate(others):
        down(other, f"symbol {number}")
        client.persist("access:down:candles")  # however long this machine takes over it
    assert client.get("access:strikes:candles") == b"1"


def test_an_answer_to_somebody_else_counts(client, redis_server):
    """Both were let through before anything failed."""
    failing, lucky = access_to(client), access_to(redis_server.client())
    made = [lucky.admit(Priority.CANDLES, ANY) for _ in range(2)]
    for subject in "abcd":
        down(failing, subject)
        lucky.answered(made[0], None)
    assert failing.troubles() == {}


def test_the_first_answer_ends_it(client):
    access = access_to(client)
    down(access, "a", "b", "c")
    client.delete("access:down:candles")
    access.answered(access.admit(Priority.CANDLES, ANY), None)
    assert access.troubles() == {}
    access.admit(Priority.CANDLES, ANY)
    down(access, "d", "e")
    assert access.troubles() == {}


def test_a_refusal_is_no_outage(client):
    access = access_to(client)
    for subject in "abcdef":
        access.failed(ticket(), subject, Rejected("no such symbol", code="-1121"))
    assert access.troubles() == {}


# without Redis


def test_without_redis_a_process_keeps_to_a_small_part(redis_server):
    access = access_to(redis_server.client(timeout_s=0.5))
    redis_server.stop()
    assert admitted(access, Priority.CANDLES) == 60 // ALONE_SHARE // 2
    access.failed(ticket(), "x", Transient("429", retry_after_s=30))
    with pytest.raises(Withheld, match="429"):
        access.admit(Priority.EXITS, ANY)
    redis_server.start()


def test_alone_what_the_exchange_counts_counts(client):
    access = Access()
    access.limits = (RateLimit(Counted.WEIGHT, DAY_MS, 1000),)
    made = access.admit(Priority.CANDLES, ANY)
    access.answered(made, used_weight=597)
    access.admit(Priority.CANDLES, ANY)  # 599 of the 600 that are theirs
    assert admitted(access, Priority.CANDLES) == 0
    assert admitted(access, Priority.EXITS, most=20) == 20


def test_alone_orders_are_counted_whatever_is_asked_in_between():
    access = Access()
    access.limits = (RateLimit(Counted.ORDERS, DAY_MS, 100), RateLimit(Counted.WEIGHT, DAY_MS, 100_000))
    sent = 0
    while admitted(access, Priority.ENTRIES, Cost(1, orders=1, account="main"), most=1):
        access.admit(Priority.CANDLES, ANY)
        sent += 1
    assert sent == 80 // ALONE_SHARE


def test_alone_windows_that_are_over_are_forgotten(monkeypatch):
    monkeypatch.setattr("market.budget._KEPT_MS", 0)
    access = Access()
    access.limits = (RateLimit(Counted.REQUESTS, 20, 1_000_000),)
    for _ in range(20):
        access.admit(Priority.CANDLES, ANY)
        time.sleep(0.01)
    assert len(access._alone._windows) <= 3


def test_a_flushed_redis_is_no_trouble(client):
    access = access_to(client)
    assert admitted(access) == 30
    client.flushall()
    client.script_flush()
    assert admitted(access) == 30
