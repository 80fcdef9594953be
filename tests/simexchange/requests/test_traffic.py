"""What can be asked about the traffic, and limits that change while it runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simexchange.__main__ import build_exchange
from simexchange.cli import parse
from simexchange.requests.stats import Stats

NOW_MS = 1_760_000_000_000


@pytest.mark.process
def test_candle_requests_per_slot(start: Any) -> None:
    """Market time at speed 1 is far from a quarter's end."""
    origin = 1_700_000_100_000 - 1_700_000_100_000 % 900_000 + 100_000
    exchange = start("--origin-market-ms", str(origin))
    for symbol, interval in [("BTCUSDT", "15m"), ("ETHUSDT", "15m"), ("BTCUSDT", "15m"), ("BTCUSDT", "1h")]:
        exchange.request("GET", "/api/v3/klines", symbol=symbol, interval=interval)
    assert exchange.request("GET", "/sim/stats")[1]["klines_by_slot"] == {
        "15m": {str(origin // 900_000): {"requests": 3, "symbols": 2}},
        "1h": {str(origin // 3_600_000): {"requests": 1, "symbols": 1}},
    }
    exchange.request("POST", "/sim/stats/reset")
    assert exchange.request("GET", "/sim/stats")[1]["klines_by_slot"] == {}


def test_the_last_200_slots_are_kept() -> None:
    stats = Stats(NOW_MS)
    for slot in range(450):
        stats.count_klines("BTCUSDT", "1m", slot)
    kept: Any = stats.report()["klines_by_slot"]
    assert list(kept["1m"]) == [str(slot) for slot in range(250, 450)]
    assert stats.report()["candle_requests"] == 450


def test_peaks() -> None:
    stats = Stats(NOW_MS)
    for at_ms, used in [(0, 2), (100, 4), (999, 6), (1_000, 1), (1_001, 3), (60_000, 5)]:
        stats.count("GET /api/v3/klines", 2, 200, NOW_MS + at_ms, used)
    report = stats.report()
    assert (report["peak_weight_1m"], report["peak_requests_1s"], report["weight"]) == (6, 3, 12)


@pytest.mark.process
def test_a_client_that_is_starved_and_forgiven(start: Any) -> None:
    exchange = start("--weight-limit", "100", "--speed", "2")
    assert exchange.request("GET", "/api/v3/exchangeInfo")[1]["rateLimits"][0]["limit"] == 200
    assert exchange.raw("POST", "/sim/limits", content={"weight_1m": 21, "orders_10s": 1}).status == 200
    limits = exchange.request("GET", "/sim/limits")[1]
    assert limits == {"weight_1m": 21, "orders_10s": 1, "orders_1d": 400_000, "raw_5m": 122_000}
    seen = [exchange.raw("GET", "/api/v3/exchangeInfo") for _ in range(30)]  # a new minute may begin on the way
    statuses = [answer.status for answer in seen]
    assert {429, 418} <= set(statuses)
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in seen if answer.status != 200)
    assert all(int(answer.headers["X-MBX-USED-WEIGHT-1M"]) >= 20 for answer in seen)
    stats = exchange.request("GET", "/sim/stats")[1]
    assert (stats["answers_429"], stats["answers_418"]) == (statuses.count(429), statuses.count(418))
    assert stats["peak_weight_1m"] > 21
    assert stats["weight_limit_1m"] == 21
    assert exchange.request("DELETE", "/sim/limits")[1]["weight_1m"] == 200
    info = exchange.request("GET", "/api/v3/exchangeInfo")
    assert (info[0], info[1]["rateLimits"][0]["limit"], info[1]["rateLimits"][1]["limit"]) == (200, 200, 200)


@pytest.mark.parametrize("body", [{"weight_1m": 0}, {"weight_1m": "many"}, {"weight": 5}, [], {"raw_5m": 1.5}])
def test_limits_that_make_no_sense(running: Any, body: Any) -> None:
    before = running.request("GET", "/sim/limits")
    answer = running.raw("POST", "/sim/limits", content=body)
    assert answer.status == 400
    assert b'"allowed"' in answer.content
    assert running.request("GET", "/sim/limits") == before


def test_the_weight_limit_is_told_before_the_speed_factor(tmp_path: Path) -> None:
    exchange = build_exchange(parse(["--data", str(tmp_path), "--weight-limit", "1200", "--speed", "60"]), NOW_MS)
    assert exchange.limits.weight_1m == 72_000
    exchange.ledger.close()
