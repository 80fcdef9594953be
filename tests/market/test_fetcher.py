"""Closed candles and quotes for the fleet: a real Redis, an exchange in memory whose requests are counted."""

import subprocess
import sys
import threading
import time
from collections import deque

import numpy as np
import pytest
import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry

from market.clock import Clock
from market.exchange import Rejected, Transient, Withheld
from market.fetcher import DataFetcher
from market.hygiene import Defect
from market.trust import implausible
from market.window import OVERLAP, Source
from tests.market.invented import HOUR_MS, SLOT, InventedExchange, candles_between, clock_at

EXPECTED_MS = (SLOT - 1) * HOUR_MS
LATE = clock_at(SLOT * HOUR_MS + 60_000)
DOWN = Transient("the network is down")


def fetcher_of(exchange, client, clock=LATE, **options):
    return DataFetcher(exchange, client, clock, "test", **options)


def exchange_with(**options):
    """It has published the wanted candle and the one that is still open."""
    return InventedExchange(newest_ms=SLOT * HOUR_MS, **options)


def candles_of(window):
    return window.candles.to_bytes()


def true_candles(count, last_ms=EXPECTED_MS):
    return candles_between(last_ms - (count - 1) * HOUR_MS, last_ms, HOUR_MS).to_bytes()


def in_threads(count, call):
    found = [None] * count

    def run(index):
        found[index] = call(index)

    threads = [threading.Thread(target=run, args=(index,)) for index in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    return found


# one request, and only for what is missing


def test_the_first_asks_for_everything_at_once(client):
    exchange = exchange_with()
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, window.source, window.defects, window.reason) == (True, Source.EXCHANGE, {}, "")
    assert candles_of(window) == true_candles(999)
    assert exchange.asked == [("BTC/USDT", "1h", EXPECTED_MS - 998 * HOUR_MS, 1000)]


def test_the_second_reads_what_the_first_has_fetched(client):
    exchange = exchange_with()
    fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT, count=20)
    assert (window.fresh, window.source) == (True, Source.CACHE)
    assert candles_of(window) == true_candles(20)
    assert len(exchange.asked) == 1


@pytest.mark.parametrize("slots_later", [1, 2, 40, 999 - OVERLAP])
def test_later_slots_ask_for_what_came_since(client, slots_later):
    exchange = exchange_with()
    fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    slot = SLOT + slots_later
    exchange.newest_ms = slot * HOUR_MS
    window = fetcher_of(exchange, client, clock_at(slot * HOUR_MS)).closed_candles("BTC/USDT", "1h", slot)
    assert candles_of(window) == true_candles(1000, last_ms=(slot - 1) * HOUR_MS)
    since_ms = EXPECTED_MS - (OVERLAP - 1) * HOUR_MS
    assert exchange.asked[1:] == [("BTC/USDT", "1h", since_ms, slots_later + 1 + OVERLAP)]


def test_after_a_long_absence_everything_is_fetched_anew(client):
    exchange = exchange_with()
    fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    slot = SLOT + 5000
    exchange.newest_ms = slot * HOUR_MS
    window = fetcher_of(exchange, client, clock_at(slot * HOUR_MS)).closed_candles("BTC/USDT", "1h", slot)
    assert (window.fresh, window.gaps, len(window.candles)) == (True, 0, 999)
    assert len(exchange.asked) == 2


def test_a_bot_that_is_a_slot_behind_sees_its_own_slot(client):
    exchange = exchange_with()
    fetcher = fetcher_of(exchange, client)
    fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    window = fetcher.closed_candles("BTC/USDT", "1h", SLOT - 3)
    assert (window.fresh, window.source) == (True, Source.CACHE)
    assert window.candles.last_opened_ms == EXPECTED_MS - 3 * HOUR_MS


def test_series_and_namespaces_are_kept_apart(client):
    exchange = exchange_with()
    fetcher = fetcher_of(exchange, client)
    fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    fetcher.closed_candles("ETH/USDT", "1h", SLOT)
    fetcher.closed_candles("BTC/USDT", "4h", SLOT // 4)
    DataFetcher(exchange, client, LATE, "other").closed_candles("BTC/USDT", "1h", SLOT)
    assert len(exchange.asked) == 4


def test_an_exchange_that_gives_little_at_once_is_asked_page_by_page(client):
    exchange = exchange_with(page=300)
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert candles_of(window) == true_candles(999)
    assert len(exchange.asked) == 4


def test_a_young_symbol_has_few_candles(client):
    exchange = exchange_with(oldest_ms=EXPECTED_MS - 6 * HOUR_MS)
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, len(window.candles), len(exchange.asked)) == (True, 7, 1)


def test_a_corrected_candle_replaces_the_one_known(client):
    exchange = exchange_with()
    fetcher = fetcher_of(exchange, client)
    known = fetcher.closed_candles("BTC/USDT", "1h", SLOT).candles
    known.close[-1] += 0.25  # as if it had been read a moment before its last trade
    client.set("test:candles:BTC/USDT:1h", known.to_bytes())
    exchange.newest_ms += HOUR_MS
    fetcher = fetcher_of(exchange, client, clock_at((SLOT + 1) * HOUR_MS))
    window = fetcher.closed_candles("BTC/USDT", "1h", SLOT + 1)
    assert candles_of(window) == true_candles(1000, last_ms=SLOT * HOUR_MS)


# candles that are not there, or cannot be real


def test_a_candle_that_is_published_late_is_asked_for_again(client):
    exchange = exchange_with(publishes_at_request=3)
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert window.fresh
    assert [limit for *_, limit in exchange.asked] == [1000, 2 + OVERLAP, 2 + OVERLAP]


def test_a_candle_that_stays_away_is_asked_for_three_times_by_all_together(client):
    exchange = InventedExchange(newest_ms=EXPECTED_MS - HOUR_MS)
    fetcher = fetcher_of(exchange, client)
    started = time.monotonic()
    windows = in_threads(8, lambda _: fetcher.closed_candles("BTC/USDT", "1h", SLOT))
    assert time.monotonic() - started < 1
    assert {(window.fresh, window.behind) for window in windows} == {(False, 1)}
    assert all("no closed 1h candle of BTC/USDT" in window.reason for window in windows)
    assert len(exchange.asked) == 3


def test_it_is_asked_for_again_a_moment_later(client):
    exchange = InventedExchange(newest_ms=EXPECTED_MS - HOUR_MS)
    fetcher = fetcher_of(exchange, client)
    fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    exchange.newest_ms = SLOT * HOUR_MS
    until = time.monotonic() + 3
    while not (window := fetcher.closed_candles("BTC/USDT", "1h", SLOT)).fresh:
        assert window.source is Source.LAST_KNOWN
        assert time.monotonic() < until
        time.sleep(0.01)
    assert len(exchange.asked) == 4


def test_a_candle_closed_by_our_clock_alone_is_nothing_to_decide_on(client):
    """The exchange's clock may be behind: its newest candle may still be open there."""
    exchange = InventedExchange(newest_ms=EXPECTED_MS)
    fetcher = fetcher_of(exchange, client, clock_at(SLOT * HOUR_MS))
    window = fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, window.behind) == (False, 1)
    assert [limit for *_, limit in exchange.asked] == [1000, 1 + OVERLAP, 1 + OVERLAP]
    client.delete("test:candles:BTC/USDT:1h:note")  # as when it has run out
    exchange.newest_ms += HOUR_MS
    assert fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh


@pytest.mark.parametrize("troubles", [[None, Withheld("the budget is used up", 40)], [None, DOWN, DOWN, DOWN]])
def test_nor_when_the_second_question_fails(client, troubles):
    exchange = InventedExchange(newest_ms=EXPECTED_MS, troubles=deque(troubles))
    fetcher = fetcher_of(exchange, client, clock_at(SLOT * HOUR_MS))
    assert not fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh
    assert not fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh  # nor for whoever reads what was kept


@pytest.mark.parametrize(("behind_ms", "fresh"), [(0, True), (5_000, False)])
def test_a_clock_that_is_known_to_be_behind_is_given_its_time(client, behind_ms, fresh):
    """Three seconds into the slot the wanted candle is there, and none after it."""
    exchange = InventedExchange(newest_ms=EXPECTED_MS, ahead_ms=-behind_ms)
    clock = Clock(Clock().now().wall_ms, SLOT * HOUR_MS + 3_000, 1.0)
    fetcher = fetcher_of(exchange, client, clock)
    fetcher.clock_offset()
    assert fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh is fresh


def test_after_a_while_it_has_closed_by_a_clock_that_nobody_measured(client):
    """Nobody trades in the new candle, so nothing proves the end of the old one."""
    exchange = InventedExchange(newest_ms=EXPECTED_MS)
    fetcher = fetcher_of(exchange, client, clock_at(SLOT * HOUR_MS + 3))
    assert fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh


def test_unsound_candles_are_logged_once(client):
    exchange = exchange_with(spoiled_ms=frozenset({EXPECTED_MS - HOUR_MS}))
    with structlog.testing.capture_logs() as logs:
        for later in range(5):
            exchange.newest_ms = (SLOT + later) * HOUR_MS
            fetcher = fetcher_of(exchange, client, clock_at((SLOT + later) * HOUR_MS))
            fetcher.closed_candles("BTC/USDT", "1h", SLOT + later)
    assert [entry["event"] for entry in logs] == ["candles_unsound"]
    assert logs[0]["not_a_number"] == 1


def test_a_hole_that_the_exchange_has_is_not_asked_for_for_ever(client):
    exchange = InventedExchange(newest_ms=(SLOT + 1) * HOUR_MS, missing_ms=frozenset({EXPECTED_MS}))
    later = fetcher_of(exchange, client, clock_at((SLOT + 1) * HOUR_MS))
    assert later.closed_candles("BTC/USDT", "1h", SLOT + 1).fresh
    asked = len(exchange.asked)
    window = later.closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, window.behind, len(exchange.asked)) == (False, 1, asked)
    assert later.closed_candles("BTC/USDT", "1h", SLOT + 1).gaps == 1


def test_nonsense_is_dropped_at_the_border_and_counted(client):
    exchange = exchange_with(spoiled_ms=frozenset({EXPECTED_MS - 5 * HOUR_MS}))
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, window.defects, window.gaps) == (True, {Defect.NOT_A_NUMBER: 1}, 1)
    assert np.isfinite(window.candles.high).all()


def test_a_wanted_candle_that_is_nonsense_makes_the_window_old(client):
    exchange = exchange_with(spoiled_ms=frozenset({EXPECTED_MS}))
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, window.behind) == (False, 1)
    assert "(1 not a number)" in window.reason


# trouble with the exchange


def test_a_short_trouble_is_waited_out(client):
    exchange = exchange_with(troubles=deque([DOWN, DOWN]))
    assert fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT).fresh
    assert len(exchange.asked) == 3


def test_a_long_trouble_gives_the_last_known(client):
    exchange = exchange_with()
    fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    exchange.troubles.extend([DOWN] * 3)
    fetcher = fetcher_of(exchange, client, clock_at((SLOT + 2) * HOUR_MS))
    windows = in_threads(6, lambda _: fetcher.closed_candles("BTC/USDT", "1h", SLOT + 2))
    assert {(w.fresh, w.behind, w.source, w.reason) for w in windows} == {
        (False, 2, Source.LAST_KNOWN, "the network is down")
    }
    assert candles_of(windows[0]) == true_candles(999)
    assert len(exchange.asked) == 1 + 3


def test_trouble_after_a_long_absence_does_not_lose_what_was_known(client):
    exchange = exchange_with()
    fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    exchange.troubles.extend([DOWN] * 3)
    slot = SLOT + 5000
    window = fetcher_of(exchange, client, clock_at(slot * HOUR_MS)).closed_candles("BTC/USDT", "1h", slot)
    assert (window.fresh, window.behind, len(window.candles)) == (False, 5000, 999)
    assert fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT).source is Source.CACHE


def test_trouble_with_nothing_known_gives_nothing(client):
    exchange = exchange_with(troubles=deque([DOWN] * 3))
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (len(window.candles), window.fresh, window.behind) == (0, False, None)
    assert window.reason == "the network is down"


def test_a_refusal_is_not_repeated(client):
    exchange = exchange_with(troubles=deque([Rejected("no such symbol", code="-1121")]))
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, window.reason, len(exchange.asked)) == (False, "no such symbol", 1)


def test_told_to_wait_nobody_asks_again_by_himself(client):
    exchange = exchange_with(troubles=deque([Transient("429 Too Many Requests", retry_after_s=30)]))
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.reason, len(exchange.asked)) == ("429 Too Many Requests", 1)


def test_what_is_withheld_is_not_asked_for_again_at_once(client):
    exchange = exchange_with(troubles=deque([Withheld("the budget is used up", 40)]))
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.reason, len(exchange.asked)) == ("the budget is used up", 1)


def test_one_series_in_trouble_leaves_the_others_alone(client):
    exchange = exchange_with(troubles=deque([DOWN] * 3))
    fetcher = fetcher_of(exchange, client)
    assert not fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh
    assert fetcher.closed_candles("ETH/USDT", "1h", SLOT).fresh


def test_lasting_trouble_is_asked_about_ever_more_rarely_and_logged_when_it_begins_and_ends(client):
    exchange = exchange_with(troubles=deque([DOWN] * 300))
    fetcher = fetcher_of(exchange, client)
    pauses = []
    with structlog.testing.capture_logs() as logs:
        for _ in range(7):
            assert not fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh
            pauses.append(client.pttl("test:candles:BTC/USDT:1h:note"))
            client.delete("test:candles:BTC/USDT:1h:note")  # as when it has run out
        exchange.troubles.clear()
        assert fetcher.closed_candles("BTC/USDT", "1h", SLOT).fresh
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] <= 300
    assert 9_000 < pauses[-1] <= 10_000
    said = [entry["event"] for entry in logs if entry["event"].startswith("candles")]
    assert said == ["candles_not_fresh", "candles_fresh_again"]


def test_a_hole_that_the_exchange_fills_later_is_healed(client):
    hole_ms = EXPECTED_MS - 2 * HOUR_MS
    exchange = exchange_with(missing_ms=frozenset({hole_ms}))
    assert fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT).gaps == 1
    exchange.missing_ms = frozenset()
    exchange.newest_ms += HOUR_MS
    window = fetcher_of(exchange, client, clock_at((SLOT + 1) * HOUR_MS)).closed_candles("BTC/USDT", "1h", SLOT + 1)
    assert (window.fresh, window.gaps) == (True, 0)
    assert candles_of(window) == true_candles(1000, last_ms=SLOT * HOUR_MS)


def test_a_candle_that_the_exchange_hides_for_once_is_not_forgotten(client):
    exchange = exchange_with()
    fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    exchange.missing_ms = frozenset({EXPECTED_MS - HOUR_MS})
    exchange.newest_ms += HOUR_MS
    window = fetcher_of(exchange, client, clock_at((SLOT + 1) * HOUR_MS)).closed_candles("BTC/USDT", "1h", SLOT + 1)
    assert (window.fresh, window.gaps) == (True, 0)


def test_a_long_window_is_kept_page_by_page(client):
    exchange = exchange_with(page=300, troubles=deque([None, None, *[DOWN] * 3]))
    with structlog.testing.capture_logs() as logs:
        window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, len(window.candles)) == (False, 600 - OVERLAP)
    assert [entry["candles"] for entry in logs if entry["event"] == "backfill"] == [300, 600 - OVERLAP]
    client.delete("test:candles:BTC/USDT:1h:note")  # as when it has run out
    again = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert candles_of(again) == true_candles(999)


def test_a_bad_print_is_left_out_when_the_next_candle_does_not_agree(client):
    exchange = exchange_with(spiked_ms=frozenset({EXPECTED_MS}))
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert implausible(window.candles)
    exchange.newest_ms += HOUR_MS
    window = fetcher_of(exchange, client, clock_at((SLOT + 1) * HOUR_MS)).closed_candles("BTC/USDT", "1h", SLOT + 1)
    assert (window.fresh, window.gaps, window.defects) == (True, 1, {Defect.BAD_PRINT: 1})
    assert not implausible(window.candles)


def test_a_candle_from_the_future_proves_nothing(client):
    """The exchange shows one of next year, and not the wanted one."""
    exchange = InventedExchange(newest_ms=EXPECTED_MS - HOUR_MS, future_ms=EXPECTED_MS + 9000 * HOUR_MS)
    window = fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)
    assert (window.fresh, window.behind, window.defects) == (False, 1, {Defect.FUTURE: 1})


# quotes


def test_a_quote_is_shared_while_it_is_young(client):
    exchange = exchange_with()
    fetcher = fetcher_of(exchange, client, quote_age_ms=2000)
    quotes = in_threads(8, lambda _: fetcher.quote("BTC/USDT"))
    assert len(set(quotes)) == 1
    assert quotes[0].ask > quotes[0].bid
    assert exchange.quotes_asked == 1
    client.delete("test:quote:BTC/USDT")  # as when it has grown old
    assert fetcher.quote("BTC/USDT") != quotes[0]


@pytest.mark.parametrize("refusal", [Rejected("no such symbol", code="-1121"), DOWN])
def test_a_failed_quote_is_shared_too(client, refusal):
    tries = 1 if isinstance(refusal, Rejected) else 3
    exchange = exchange_with(troubles=deque([refusal] * tries))
    fetcher = fetcher_of(exchange, client, quote_age_ms=5000)
    for _ in range(3):
        with pytest.raises(type(refusal), match=str(refusal)) as caught:
            fetcher.quote("BTC/USDT")
        assert getattr(caught.value, "code", "") == getattr(refusal, "code", "")
    assert exchange.quotes_asked == tries


# trouble with Redis


def test_a_flushed_redis_is_filled_again(client):
    exchange = exchange_with()
    fetcher = fetcher_of(exchange, client)
    before = fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    client.flushall()
    client.script_flush()
    after = fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    assert candles_of(after) == candles_of(before)
    assert len(exchange.asked) == 2
    assert not client.exists("test:candles:BTC/USDT:1h:lease")


@pytest.mark.parametrize("rubbish", [b"x", b"5", b"[]", b'["quote"]', b'["quote", "a", "b", "c", "d"]', b"\xff"])
def test_rubbish_in_place_of_a_quote_is_asked_for_anew(client, rubbish):
    client.set("test:quote:BTC/USDT", rubbish)
    exchange = exchange_with()
    assert fetcher_of(exchange, client).quote("BTC/USDT").bid == 1


@pytest.mark.filterwarnings("ignore:invalid value")  # NaN as a time
@pytest.mark.parametrize("rubbish", [b"x", b"\xff" * 48 * 3, np.arange(60.0).tobytes()])
def test_rubbish_in_redis_is_fetched_anew(client, rubbish):
    client.set("test:candles:BTC/USDT:1h", rubbish)
    exchange = exchange_with()
    assert candles_of(fetcher_of(exchange, client).closed_candles("BTC/USDT", "1h", SLOT)) == true_candles(999)


def test_without_redis_everyone_asks_alone_and_it_is_logged_once(redis_server):
    exchange = exchange_with()
    client = redis_server.client(timeout_s=0.5)
    fetcher = fetcher_of(exchange, client)
    redis_server.stop()
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert candles_of(fetcher.closed_candles("BTC/USDT", "1h", SLOT)) == true_candles(999)
        assert fetcher.quote("BTC/USDT").bid == 1
        assert len(exchange.asked) == 3
        redis_server.start()
        until = time.monotonic() + 5
        while fetcher.closed_candles("BTC/USDT", "1h", SLOT).source is not Source.CACHE:
            assert time.monotonic() < until
            time.sleep(0.02)
    said = [entry["event"] for entry in logs if "redis" in entry["event"]]
    assert said == ["redis_lost", "redis_is_back"]


def test_a_frozen_redis_costs_one_timeout_a_second_not_one_per_call(redis_server):
    exchange = exchange_with()
    path = redis_server.path
    frozen = redis.Redis(unix_socket_path=path, socket_timeout=0.3, retry=Retry(NoBackoff(), 0))
    fetcher = fetcher_of(exchange, frozen)
    fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    freeze = subprocess.Popen(  # DEBUG SLEEP answers nobody meanwhile
        [
            sys.executable,
            "-c",
            f"import redis; redis.Redis(unix_socket_path={path!r}).execute_command('debug','sleep','1')",
        ]
    )
    until = time.monotonic() + 5
    while fetcher.closed_candles("BTC/USDT", "1h", SLOT).source is Source.CACHE:
        assert time.monotonic() < until
    started = time.monotonic()
    assert fetcher.closed_candles("BTC/USDT", "1h", SLOT).source is Source.EXCHANGE
    assert time.monotonic() - started < 0.25
    freeze.wait(5)


# nonsense


@pytest.mark.parametrize(("timeframe", "slot", "count"), [("7m", SLOT, 10), ("1h", SLOT + 2, 10), ("1h", SLOT, 1001)])
def test_a_wrong_question_is_an_error_of_the_caller(client, timeframe, slot, count):
    with pytest.raises(ValueError):
        fetcher_of(exchange_with(), client).closed_candles("BTC/USDT", timeframe, slot, count)
