"""The program as a whole: ccxt against it, crashes, signals, a taken port, a slow client's limits."""

from __future__ import annotations

import signal
import sys
import time
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import ccxt
import pytest

from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET

pytestmark = pytest.mark.process


def binance(url: str) -> ccxt.binance:
    """ccxt's own class, unchanged but for the host."""
    client = ccxt.binance(
        {
            "apiKey": DEMO_KEY,
            "secret": DEMO_SECRET,
            "enableRateLimit": False,
            "options": {
                "fetchMarkets": {"types": ["spot"]},
                "fetchMargins": False,
                "fetchCurrencies": False,
                "adjustForTimeDifference": True,
                "warnOnFetchOpenOrdersWithoutSymbol": False,
            },
        }
    )
    client.urls["api"] = {
        name: url + address.split(".com", 1)[1] if ".com" in address else address
        for name, address in client.urls["api"].items()
    }
    return client


@pytest.mark.parametrize("speed", ["1", "600"])
def test_ccxt_trades_against_it(start: Any, speed: str) -> None:
    exchange = start("--speed", speed, "--seed", "3")
    client = binance(exchange.url)
    markets = client.load_markets()
    assert len(markets) == 13
    assert markets["BTC/USDT"]["active"]
    assert markets["BTC/USDT"]["precision"] == {"amount": 1e-05, "price": 0.01, "base": 1e-08, "quote": 1e-08}
    candles = client.fetch_ohlcv("BTC/USDT", "15m", limit=500)
    assert len(candles) == 500
    assert all(b[0] - a[0] == 900_000 for a, b in pairwise(candles))
    ticker = client.fetch_ticker("BTC/USDT")
    assert ticker["low"] <= ticker["last"] <= ticker["high"]
    assert ticker["bid"] < ticker["ask"]

    bought = client.create_order("BTC/USDT", "market", "buy", 0.5, None, {"newClientOrderId": "first-1"})
    assert (bought["status"], bought["filled"], bought["clientOrderId"]) == ("closed", 0.5, "first-1")
    assert bought["fee"] == {"currency": "BTC", "cost": pytest.approx(0.0005)}
    free = client.fetch_balance()["free"]
    assert free["BTC"] == pytest.approx(0.4995)
    assert free["USDT"] == pytest.approx(100_000 - bought["cost"])
    found = client.fetch_order(None, "BTC/USDT", {"origClientOrderId": "first-1"})
    assert (found["id"], found["status"], found["cost"]) == (bought["id"], "closed", bought["cost"])
    sold = client.create_order("BTC/USDT", "market", "sell", 0.4995, None, {"newClientOrderId": "first-1"})
    assert sold["fee"]["currency"] == "USDT"
    trades = client.fetch_my_trades("BTC/USDT")
    assert sum(trade["amount"] for trade in trades if trade["side"] == "buy") == pytest.approx(0.5)
    assert len(client.fetch_orders("BTC/USDT")) == 2
    assert client.fetch_open_orders() == []
    assert client.fetch_balance()["free"]["BTC"] == 0


def test_ccxt_understands_refusals(start: Any) -> None:
    client = binance(start().url)
    client.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order("BTC/USDT", "market", "buy", 30)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("77", "BTC/USDT")
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("77", "BTC/USDT")
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_a_killed_exchange_remembers_everything_it_answered(start: Any) -> None:
    exchange = start("--seed", "5")
    for number in range(20):
        order = {"symbol": "ETHUSDT", "side": "SELL" if number % 3 == 2 else "BUY", "type": "MARKET"}
        status, _ = exchange.request("POST", "/api/v3/order", signed=True, quantity="0.1", **order)
        assert status == 200
    before = exchange.request("GET", "/sim/ledger")[1]
    exchange.process.send_signal(signal.SIGKILL)
    exchange.process.wait()
    again = start("--seed", "5")
    assert again.request("GET", "/sim/ledger")[1] == before
    base = sum((1 if fill["isBuyer"] else -1) * Decimal(fill["qty"]) for fill in before["fills"])
    fees = sum(Decimal(fill["commission"]) for fill in before["fills"] if fill["commissionAsset"] == "ETH")
    assert Decimal(before["balances"]["ETH"]["free"]) == base - fees
    status, answer = again.request(
        "POST", "/api/v3/order", signed=True, symbol="ETHUSDT", side="BUY", type="MARKET", quantity="0.1"
    )
    assert (status, answer["orderId"]) == (200, 21)


def test_the_market_is_the_same_after_a_restart(start: Any) -> None:
    first = start("--seed", "9")
    query = {"symbol": "LINKUSDT", "interval": "1m", "endTime": time.time_ns() // 1_000_000 - 120_000, "limit": 50}
    before = first.request("GET", "/api/v3/klines", **query)[1]
    first.process.send_signal(signal.SIGTERM)
    assert first.process.wait(timeout=5) == 0
    assert start("--seed", "9").request("GET", "/api/v3/klines", **query)[1] == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_quickly_and_quietly_when_told(start: Any, number: signal.Signals) -> None:
    exchange = start()
    client = binance(exchange.url)
    client.fetch_time()  # its connection stays open
    told = time.monotonic()
    exchange.process.send_signal(number)
    assert exchange.process.wait(timeout=5) == 0
    assert time.monotonic() - told < 2
    assert exchange.process.stderr.read() == ""


def test_a_taken_port_is_one_clear_line(start: Any, tmp_path: Path) -> None:
    exchange = start()
    command = [sys.executable, "-m", "simexchange", "--port", str(exchange.port), "--data", str(tmp_path / "other")]
    second = start.spawn(command)
    output, errors = second.communicate(timeout=10)
    assert second.returncode == 1
    assert output == ""
    assert errors.splitlines() == [f"simexchange: cannot listen on 127.0.0.1:{exchange.port}: Address already in use"]


def test_a_ledger_in_use_is_one_clear_line(start: Any, tmp_path: Path) -> None:
    start(data=tmp_path / "shared")
    command = [sys.executable, "-m", "simexchange", "--port", "0", "--data", str(tmp_path / "shared")]
    _, errors = (second := start.spawn(command)).communicate(timeout=10)
    assert second.returncode == 1
    assert "cannot open the ledger" in errors
    assert len(errors.splitlines()) == 1


def test_too_much_weight_is_429_then_418(start: Any) -> None:
    exchange = start()
    seen: list[int] = []
    while 418 not in seen and len(seen) < 400:  # 96 suffice, unless a new minute begins in between
        seen.append(exchange.request("GET", "/api/v3/ticker/24hr")[0])
    assert list(dict.fromkeys(seen)) == [200, 429, 418]
    with pytest.raises(ccxt.DDoSProtection):
        binance(exchange.url).fetch_time()
    stats = exchange.request("GET", "/sim/stats")[1]
    assert stats["statuses"]["429"] == seen.count(429)
    assert stats["weight_limit_1m"] == 6000


def test_market_time_runs_at_its_speed_and_signatures_on_wall_time(start: Any) -> None:
    exchange = start("--speed", "600", "--origin-market-ms", "1700000000000")
    now = time.time_ns() // 1_000_000
    clock = exchange.request("GET", "/sim/clock")[1]
    assert clock["market_ms"] == pytest.approx(
        1_700_000_000_000 + 600 * (clock["wall_ms"] - clock["origin_wall_ms"]), abs=1
    )
    assert abs(exchange.request("GET", "/api/v3/time")[1]["serverTime"] - now) < 5000
    limits = exchange.request("GET", "/api/v3/exchangeInfo")[1]["rateLimits"]
    assert limits[0]["limit"] == 3_600_000
    answer = exchange.request(
        "POST", "/api/v3/order", signed=True, symbol="BTCUSDT", side="BUY", type="MARKET", quoteOrderQty="100"
    )[1]
    assert 0 <= answer["transactTime"] - clock["market_ms"] < 600 * 60_000
    assert answer["transactTime"] < 1_700_100_000_000


def test_a_replay_trades_in_bitcoin(start: Any, recorded_candles: Path) -> None:
    client = binance(start("--replay", str(recorded_candles)).url)
    markets = client.load_markets()
    assert markets["ADA/BTC"]["active"]
    assert not markets["BTC/USDT"]["active"]  # its recording begins years later
    assert len(client.fetch_ohlcv("ADA/BTC", "1h", limit=100)) == 100
    order = client.create_order("ADA/BTC", "market", "buy", 1000)
    assert order["filled"] == 1000
    with pytest.raises(ccxt.BadRequest, match="-1120"):
        client.fetch_ohlcv("ADA/BTC", "1m")
