"""The fleet as it runs: processes that share one Redis and one exchange over HTTP."""

import multiprocessing
import os
import signal
import time

import pytest
import redis

from market.access import Access
from market.ccxt_exchange import CcxtExchange
from market.clock import Clock
from market.exchange import Quote
from market.fetcher import DataFetcher
from market.slots import TIMEFRAMES, slot_at
from market.window import Source
from tests.market.conftest import RedisServer, await_true
from tests.market.invented import HOUR_MS, SLOT, InventedExchange, clock_at

pytestmark = pytest.mark.process

FORK = multiprocessing.get_context("fork")
PROCESSES = 8


def in_processes(count, work, *args):
    """``work(start, results, *args)`` in ``count`` processes that pass ``start.wait()`` together; their results."""
    start, results = FORK.Barrier(count + 1), FORK.SimpleQueue()
    processes = [FORK.Process(target=work, args=(start, results, *args), daemon=True) for _ in range(count)]
    for process in processes:
        process.start()
    start.wait(30)
    found = [results.get() for _ in processes]
    for process in processes:
        process.join(10)
    return found


def connected(url, clock, path):
    """The exchange as a process of the fleet sees it, and its Redis."""
    client = redis.Redis(unix_socket_path=path, socket_timeout=5)
    return CcxtExchange("binance", url, clock, Access(client, "access")), client


def ask_for_all(start, results, url, clock, path, series):
    exchange, client = connected(url, clock, path)
    fetcher = DataFetcher(exchange, client, clock, "fleet")
    fetcher.instruments()
    start.wait(30)
    windows = [fetcher.closed_candles(symbol, timeframe, slot) for symbol, timeframe, slot in series]
    results.put([(window.fresh, window.source.value, window.candles.to_bytes()) for window in windows])


def all_series(exchange: CcxtExchange, clock: Clock) -> list[tuple[str, str, int]]:
    now_ms = clock.now().market_ms
    symbols = sorted(exchange.instruments())
    return [(symbol, name, slot_at(now_ms, seconds)) for symbol in symbols for name, seconds in TIMEFRAMES.items()]


def test_eight_processes_and_39_series_are_39_requests(simulated, redis_server):
    clock = simulated.clock()
    series = all_series(CcxtExchange("binance", simulated.url, clock), clock)
    assert len(series) == 39
    simulated.reset()
    found = in_processes(PROCESSES, ask_for_all, simulated.url, clock, redis_server.path, series)
    assert simulated.stats()["klines"] == {
        f"{symbol.replace('/', '')} {timeframe}": 1 for symbol, timeframe, _ in series
    }
    for answers in zip(*found, strict=True):
        assert {fresh for fresh, _, _ in answers} == {True}
        assert len({candles for _, _, candles in answers}) == 1
        assert sorted(source for _, source, _ in answers) == ["cache"] * (PROCESSES - 1) + ["exchange"]


def ask_for_quote(start, results, url, clock, path):
    exchange, client = connected(url, clock, path)
    fetcher = DataFetcher(exchange, client, clock, "fleet", quote_age_ms=3000)
    fetcher.instruments()
    start.wait(30)
    results.put(fetcher.quote("BTC/USDT"))


def test_eight_processes_share_one_quote(simulated, redis_server):
    found = in_processes(PROCESSES, ask_for_quote, simulated.url, simulated.clock(), redis_server.path)
    assert isinstance(found[0], Quote)
    assert len(set(found)) == 1
    assert simulated.stats()["endpoints"]["GET /api/v3/ticker/24hr"] == 1


class Stuck(InventedExchange):
    """Never answers, and says on a pipe that it was asked."""

    def fetch_candles(self, symbol, timeframe, since_ms, limit):
        os.write(self.told, b"!")
        time.sleep(60)


def hold_the_lease(path, told):
    exchange = Stuck(newest_ms=SLOT * HOUR_MS)
    exchange.told = told
    fetcher = DataFetcher(
        exchange, redis.Redis(unix_socket_path=path), clock_at(SLOT * HOUR_MS), "fleet", lease_ms=1000
    )
    fetcher.closed_candles("BTC/USDT", "1h", SLOT)


def ask_after_the_dead(start, results, path):
    exchange = InventedExchange(newest_ms=SLOT * HOUR_MS)
    fetcher = DataFetcher(exchange, redis.Redis(unix_socket_path=path), clock_at(SLOT * HOUR_MS), "fleet")
    start.wait(30)
    window = fetcher.closed_candles("BTC/USDT", "1h", SLOT)
    results.put((window.fresh, window.source, len(exchange.asked)))


def test_a_holder_that_is_killed_keeps_the_others_waiting_for_its_lease_only(redis_server: RedisServer):
    hears, tells = os.pipe()
    holder = FORK.Process(target=hold_the_lease, args=(redis_server.path, tells), daemon=True)
    holder.start()
    assert os.read(hears, 1) == b"!"
    started = time.monotonic()
    os.kill(holder.pid, signal.SIGKILL)
    holder.join(10)
    found = in_processes(4, ask_after_the_dead, redis_server.path)
    assert time.monotonic() - started < 4
    assert [fresh for fresh, _, _ in found] == [True] * 4
    assert sum(asked for _, _, asked in found) == 1
    assert sorted(source for _, source, _ in found) == [Source.CACHE] * 3 + [Source.EXCHANGE]


def tick_for_ever(path, url, clock, series):
    exchange, client = connected(url, clock, path)
    fetcher = DataFetcher(exchange, client, clock, "fleet", lease_ms=300)
    while True:
        for symbol, timeframe, slot in series:
            fetcher.closed_candles(symbol, timeframe, slot)


def test_flushing_redis_and_killing_processes_under_load_heals(simulated, redis_server, client):
    clock = simulated.clock()
    exchange = CcxtExchange("binance", simulated.url, clock)
    series = all_series(exchange, clock)[:9]
    processes = [
        FORK.Process(target=tick_for_ever, args=(redis_server.path, simulated.url, clock, series), daemon=True)
        for _ in range(4)
    ]
    for process in processes:
        process.start()
    for victim in processes[:3]:
        await_true(lambda: len(client.keys("fleet:candles:*m")) >= 2, "nobody fills the cache")
        os.kill(victim.pid, signal.SIGKILL)
        client.flushall()
    await_true(lambda: all(client.exists(f"fleet:candles:{s}:{t}") for s, t, _ in series), "not filled again")
    processes[3].kill()
    fetcher = DataFetcher(exchange, client, clock, "fleet")
    assert all(fetcher.closed_candles(*item).fresh for item in series)
    await_true(lambda: not client.keys("*:lease"), "a lease is left behind")
    for process in processes:
        process.join(5)
