"""The exchange's clock against ours: measured once for all, and judged."""

import time

import pytest

from market.clock_offset import LIMIT_MS, Offset
from market.exchange import Transient
from market.exchange_clock import measure
from market.fetcher import DataFetcher
from tests.market.invented import HOUR_MS, SLOT, InventedExchange, clock_at
from tests.market.test_fetcher import in_threads

DOWN = Transient("the network is down")


def soon():
    return time.monotonic() + 20


def fetcher_of(exchange, client, **options):
    return DataFetcher(exchange, client, clock_at(SLOT * HOUR_MS), "test", **options)


@pytest.mark.parametrize("ahead_ms", [-7_000, 0, 250, 90_000])
def test_it_is_measured_in_the_middle_of_the_question(ahead_ms):
    offset = measure(InventedExchange(newest_ms=0, ahead_ms=ahead_ms), soon())
    assert abs(offset.ahead_ms - ahead_ms) <= offset.within_ms + 1


class Slow(InventedExchange):
    """Its first answers take so long on the way back, wall seconds each."""

    def fetch_time(self):
        told = super().fetch_time()
        time.sleep(self.slow_s[self.time_asked - 1] if self.time_asked <= len(self.slow_s) else 0)
        return told


def slow(*seconds):
    exchange = Slow(newest_ms=0)
    exchange.slow_s = seconds
    return exchange


def test_a_slow_answer_is_as_exact_as_it_says():
    offset = measure(slow(0.3), soon())
    assert abs(offset.ahead_ms) <= offset.within_ms + 1
    assert offset.within_ms >= 150


def test_while_answers_are_too_slow_to_be_exact_it_asks_again():
    exchange = slow(0.6, 0.6)
    assert measure(exchange, soon()).within_ms < 250
    assert exchange.time_asked == 3


def test_a_later_question_that_fails_takes_nothing_away():
    exchange = slow(0.6)
    exchange.troubles.extend([None, DOWN])
    assert measure(exchange, soon()).within_ms >= 250


def test_an_inexact_measurement_corrects_nothing(client):
    heard = []
    fetcher_of(slow(0.6, 0.6, 0.6), client, on_offset=heard.append).clock_offset()
    assert heard == []
    assert client.exists("test:clock")
    assert not client.exists("test:clock:last")


def test_but_not_for_ever():
    exchange = slow(0.52, 0.52, 0.52, 0.52)
    assert measure(exchange, soon()).within_ms >= 250
    assert exchange.time_asked == 3
    assert measure(exchange := slow(0.6), time.monotonic() + 0.1).within_ms >= 250
    assert exchange.time_asked == 1


@pytest.mark.parametrize(
    ("ahead_ms", "within_ms", "in_step", "too_far"),
    [
        (LIMIT_MS, 0, True, False),
        (LIMIT_MS + 1, 0, False, True),
        (-LIMIT_MS - 1, 0, False, True),
        (LIMIT_MS - 100, 100, True, False),
        (LIMIT_MS - 99, 100, False, False),  # perhaps it is only the way: no entry, and no alarm
        (LIMIT_MS + 100, 100, False, False),
        (-LIMIT_MS - 101, 100, False, True),
        (0, 3_000, False, False),
    ],
)
def test_an_entry_needs_certainty_and_so_does_an_alarm(ahead_ms, within_ms, in_step, too_far):
    offset = Offset(ahead_ms, within_ms)
    assert (offset.in_step, offset.too_far) == (in_step, too_far)


def test_one_measurement_serves_all(client):
    exchange = InventedExchange(newest_ms=0, ahead_ms=400)
    heard = []
    fetcher = fetcher_of(exchange, client, on_offset=heard.append)
    offsets = in_threads(8, lambda _: fetcher.clock_offset())
    assert len(set(offsets)) == 1
    assert exchange.time_asked == 1
    assert heard == [offsets[0].ahead_ms]
    client.delete("test:clock")  # as when it has grown old
    fetcher.clock_offset()
    assert exchange.time_asked == 2


def test_an_exchange_that_never_tells_the_time_is_in_step(client):
    exchange = InventedExchange(newest_ms=0, ahead_ms=None)
    offset = fetcher_of(exchange, client).clock_offset()
    assert (offset.ahead_ms, offset.in_step) == (0, True)


def test_what_cannot_be_measured_is_an_error(client):
    exchange = InventedExchange(newest_ms=0)
    exchange.troubles.extend([DOWN] * 3)
    with pytest.raises(Transient, match="the network is down"):
        fetcher_of(exchange, client).clock_offset()


@pytest.mark.parametrize("rubbish", [b"x", b"[1, 2, 3]", b"{}", b"[1, null]"])
def test_rubbish_in_redis_is_measured_anew(client, rubbish):
    client.set("test:clock", rubbish)
    assert abs(fetcher_of(InventedExchange(newest_ms=0), client).clock_offset().ahead_ms) < 1000


def test_without_redis_one_measures_alone(redis_server):
    fetcher = fetcher_of(InventedExchange(newest_ms=0, ahead_ms=5_000), redis_server.client(timeout_s=0.5))
    redis_server.stop()
    assert fetcher.clock_offset().too_far
    redis_server.start()
