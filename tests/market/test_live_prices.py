"""Live prices: one request for all, the last known when it fails."""

import json
import time
from collections import deque
from decimal import Decimal

import pytest

from market.exchange import Transient
from market.fetcher import DataFetcher
from tests.market.invented import HOUR_MS, SLOT, InventedExchange, clock_at
from tests.market.test_fetcher import in_threads

DOWN = Transient("the network is down")
NOW_MS = SLOT * HOUR_MS
THREE = ["BTC/USDT", "ETH/USDT", "SOL/USDT"]


def fetcher_of(exchange, client, clock=None, **options):
    return DataFetcher(exchange, client, clock or clock_at(NOW_MS), "test", **options)


@pytest.fixture
def exchange():
    return InventedExchange(newest_ms=NOW_MS)


def test_one_request_for_all_symbols_and_all_askers(client, exchange):
    fetcher = fetcher_of(exchange, client, prices_age_ms=5_000)
    found = in_threads(8, lambda _: fetcher.prices(THREE))
    assert all(prices.keys() == set(THREE) for prices in found)
    assert found[0]["BTC/USDT"].price == Decimal(1)
    assert found[0]["BTC/USDT"].at_ms == NOW_MS
    assert fetcher.prices(["ETH/USDT"]).keys() == {"ETH/USDT"}
    assert exchange.prices_asked == [THREE]


def test_old_ones_are_renewed_all_together(client, exchange):
    fetcher = fetcher_of(exchange, client, prices_age_ms=50)
    fetcher.prices(THREE)
    until = time.monotonic() + 5
    while fetcher.prices(["BTC/USDT"])["BTC/USDT"].price == 1:
        assert time.monotonic() < until
        time.sleep(0.01)
    assert exchange.prices_asked == [THREE, THREE]


def test_a_new_symbol_is_asked_for_with_the_others(client, exchange):
    fetcher = fetcher_of(exchange, client, prices_age_ms=60_000)
    fetcher.prices(["BTC/USDT"])
    assert fetcher.prices(["ETH/USDT"]).keys() == {"ETH/USDT"}
    assert exchange.prices_asked == [["BTC/USDT"], ["BTC/USDT", "ETH/USDT"]]


def test_a_symbol_that_nobody_wants_any_more_is_forgotten(client, exchange):
    fetcher_of(exchange, client).prices(["BTC/USDT"])
    client.delete("test:prices:young")
    board = {symbol: [row[0] - 600_001, *row[1:]] for symbol, row in json.loads(client.get("test:prices")).items()}
    client.set("test:prices", json.dumps(board))
    fetcher_of(exchange, client).prices(["ETH/USDT"])
    assert exchange.prices_asked[-1] == ["ETH/USDT"]


def test_a_symbol_without_a_price_is_left_out_and_not_asked_for_at_every_call(client):
    exchange = InventedExchange(newest_ms=NOW_MS, unpriced=frozenset({"NEW/USDT"}))
    fetcher = fetcher_of(exchange, client, prices_age_ms=60_000)
    for _ in range(3):
        assert fetcher.prices(["BTC/USDT", "NEW/USDT"]).keys() == {"BTC/USDT"}
    assert len(exchange.prices_asked) == 1


def test_in_trouble_the_last_known_with_their_time(client, exchange):
    fetcher_of(exchange, client).prices(THREE)
    client.delete("test:prices:young")
    exchange.troubles.extend([DOWN] * 3)
    later = fetcher_of(exchange, client, clock_at(NOW_MS + 60_000))
    found = in_threads(5, lambda _: later.prices(THREE))
    assert {prices["BTC/USDT"].at_ms for prices in found} == {NOW_MS}
    assert len(exchange.prices_asked) == 1 + 3  # one of them asked, three times
    client.delete("test:prices:young")
    assert later.prices(THREE)["BTC/USDT"].at_ms == NOW_MS + 60_000


def test_nothing_known_in_trouble_is_nothing(client, exchange):
    exchange.troubles.extend([DOWN] * 3)
    assert fetcher_of(exchange, client).prices(THREE) == {}


@pytest.mark.parametrize("rubbish", [b"x", b"[]", b'{"BTC/USDT": 5}', b'{"BTC/USDT": [1, "x", 2]}', b"\xff"])
def test_rubbish_in_redis_is_renewed(client, exchange, rubbish):
    client.set("test:prices", rubbish)
    client.set("test:prices:young", 1)
    assert fetcher_of(exchange, client).prices(THREE)["BTC/USDT"].price == 1


def test_without_redis_one_asks_alone(redis_server):
    exchange = InventedExchange(newest_ms=NOW_MS, troubles=deque())
    fetcher = fetcher_of(exchange, redis_server.client(timeout_s=0.5))
    redis_server.stop()
    assert fetcher.prices(THREE)["BTC/USDT"].price == 1
    exchange.troubles.extend([DOWN] * 3)
    assert fetcher.prices(THREE) == {}
    redis_server.start()
