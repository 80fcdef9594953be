"""Eight processes that want ten times as much as the exchange allows, and an order path beside them."""

import contextlib
import multiprocessing
import statistics
import time

import pytest
import redis

from market.access import Access
from market.ccxt_exchange import CcxtExchange
from market.exchange import ExchangeError, Withheld
from market.rate_limits import Cost, Priority
from tests.market.conftest import await_true

pytestmark = pytest.mark.process

FORK = multiprocessing.get_context("fork")
HUNGRY = 8
LIMIT = 900  # weight a minute; the eight together could use that in a second or two


@pytest.fixture
def starved(simulated):
    """The simulated exchange with a tenth of what is wanted of it."""
    simulated.post("/sim/limits", {"weight_1m": LIMIT})
    yield simulated
    simulated.ask("/sim/limits", "DELETE")


def fleet_member(url, path):
    access = Access(redis.Redis(unix_socket_path=path, socket_timeout=5), "access")
    return CcxtExchange("binance", url, access=access), access


def want_candles(url, path, stop):
    exchange, _ = fleet_member(url, path)
    while not stop.is_set():
        with contextlib.suppress(ExchangeError):
            exchange.fetch_candles("BTC/USDT", "15m", None, 5)


def ask_after_orders(url, path, stop, waits):
    """What the order path does all day, ten times a second at most: a request of weight 4, urgent."""
    exchange, access = fleet_member(url, path)
    exchange.instruments()
    while not stop.is_set():
        began = time.monotonic()
        try:
            access.admit(Priority.EXITS, Cost(4))
        except Withheld:
            waits.put(None)
            continue
        exchange._ccxt.publicGetTime()
        waits.put(time.monotonic() - began)
        stop.wait(0.4)


def test_the_exchange_never_has_to_say_429_and_orders_do_not_wait(starved, redis_server):
    stop, waits = FORK.Event(), FORK.Queue()
    path = redis_server.path
    orders = FORK.Process(target=ask_after_orders, args=(starved.url, path, stop, waits), daemon=True)
    orders.start()
    alone = [waits.get(timeout=20) for _ in range(4)]
    hungry = [FORK.Process(target=want_candles, args=(starved.url, path, stop), daemon=True) for _ in range(HUNGRY)]
    for process in hungry:
        process.start()
    await_true(lambda: starved.stats()["weight_1m"] >= LIMIT * 0.55, "nobody is hungry")
    among_them = [waits.get(timeout=20) for _ in range(16)]
    stop.set()
    for process in [orders, *hungry]:
        process.join(10)
    stats = starved.stats()
    assert (stats["answers_429"], stats["answers_418"]) == (0, 0)
    assert stats["peak_weight_1m"] <= LIMIT
    assert None not in among_them, "an urgent request was withheld"
    assert statistics.median(among_them) < 20 * statistics.median(alone)
