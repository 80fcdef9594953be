"""Faults about data, shares and seeds on the running program, as a client that scripts them meets them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import ccxt
import pytest

from tests.simexchange.test_process import binance

MINUTE_MS = 60_000


@pytest.fixture(autouse=True)
def no_faults(running: Any) -> Iterator[None]:
    yield
    running.request("DELETE", "/sim/faults")


def minutes(running: Any, limit: int = 30) -> list[list[Any]]:
    rows: list[list[Any]] = running.request("GET", "/api/v3/klines", symbol="BTCUSDT", interval="1m", limit=limit)[1]
    return rows


def market_ms(running: Any) -> int:
    return int(running.request("GET", "/sim/clock")[1]["market_ms"])


def late(running: Any) -> bool:
    """At least one minute is missing between the unfinished candle and the one before it."""
    running.fault({"kind": "missing_latest", "delay_ms": 90_000})
    rows = minutes(running)
    return bool(rows[-1][0] - rows[-2][0] >= 2 * MINUTE_MS)


def gap(running: Any) -> bool:
    rows = minutes(running)
    running.fault({"kind": "gap", "from_market_ms": rows[10][0], "to_market_ms": rows[13][0]}, {"interval": "1m"})
    left = {row[0] for row in minutes(running)}
    return not left & {row[0] for row in rows[10:13]} and rows[13][0] in left


def frozen(running: Any) -> bool:
    """Since ten minutes ago: the exchange runs at speed 1 here, so market time is wall time."""
    running.fault("frozen_price", {"symbol": "BTCUSDT"}, from_ms=market_ms(running) - 10 * MINUTE_MS)
    price = running.request("GET", "/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"]
    rows = minutes(running)
    return all(row[1:6] == [price] * 4 + ["0.00000000"] for row in rows[-8:]) and rows[0][2] != rows[0][3]


def spiked(running: Any) -> bool:
    before = float(running.request("GET", "/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"])
    running.fault({"kind": "spike", "factor": 0.1, "tickers": True})
    after = float(running.request("GET", "/api/v3/ticker/price", symbol="BTCUSDT")[1]["price"])
    return after < before / 5 and float(minutes(running)[-1][4]) < before / 5


def spoiled(running: Any) -> bool:
    running.fault({"kind": "corrupt", "shape": "nan", "row": -1}, "GET /api/v3/klines")
    return bool(minutes(running)[-1][4] == "NaN")


def skewed(running: Any) -> bool:
    running.fault({"kind": "clock_skew", "skew_ms": 3_600_000})
    return running.request("GET", "/api/v3/time")[1]["serverTime"] - time.time_ns() // 1_000_000 > 3_500_000


@pytest.mark.parametrize("seen", [late, gap, frozen, spiked, spoiled, skewed])
def test_what_a_client_is_shown(running: Any, seen: Any) -> None:
    assert seen(running)
    report = running.request("GET", "/sim/faults")[1]["active"]
    assert [fault["struck"] > 0 for fault in report] == [True]
    running.request("DELETE", "/sim/faults")
    rows = minutes(running)
    assert all(b[0] - a[0] == MINUTE_MS for a, b in pairwise(rows))
    assert abs(running.request("GET", "/api/v3/time")[1]["serverTime"] - time.time_ns() // 1_000_000) < 60_000


def test_the_same_seed_strikes_the_same_requests(running: Any) -> None:
    def series(seed: int) -> list[int]:
        running.fault({"kind": "http", "status": 502}, "GET /api/v3/ping", share=0.4, seed=seed)
        statuses = [running.raw("GET", "/api/v3/ping").status for _ in range(40)]
        running.request("DELETE", "/sim/faults")
        return statuses

    first = series(11)
    assert {200, 502} == set(first)
    assert series(11) == first
    assert series(12) != first


@pytest.mark.parametrize("when", ["before", "after"])
def test_latency_is_added(running: Any, when: str) -> None:
    running.fault({"kind": "latency", "min_ms": 200, "max_ms": 250, "when": when}, "GET /api/v3/ping")
    began = time.monotonic()
    assert running.request("GET", "/api/v3/ping") == (200, {})
    assert time.monotonic() - began >= 0.2


@pytest.mark.process
def test_an_order_that_cannot_be_found_yet_by_ccxt(running: Any) -> None:
    client = binance(running.url)
    client.load_markets()
    running.fault({"kind": "query_lag", "lag_ms": 600_000}, times=1)
    order = client.create_order("ETH/USDT", "market", "buy", 0.01)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order(order["id"], "ETH/USDT")
    assert client.fetch_order(order["id"], "ETH/USDT")["status"] == "closed"


@pytest.mark.process
def test_a_client_synchronises_with_a_clock_that_is_off(running: Any) -> None:
    """A skew is the same in /time and in the check of signatures, so who corrects for it is heard."""
    client = binance(running.url)
    running.fault({"kind": "clock_skew", "skew_ms": 30_000})
    client.options["adjustForTimeDifference"] = False
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()
    client.load_time_difference()
    assert client.fetch_balance()["free"]
