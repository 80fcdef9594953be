"""What the feed says while faults bend it; the clock and the orders are the test's own, except over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from simexchange.__main__ import build_exchange
from simexchange.cli import parse
from simexchange.endpoints.table import METERED
from simexchange.errors.api_error import ApiError
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.faults.corrupt import SHAPES
from simexchange.faults.fault import Ask, Known, read_faults
from simexchange.faults.late import Placed
from simexchange.faults.register import NOTHING
from simexchange.requests.params import Params

MINUTE_MS = 60_000
NOW_MS = (
    1_760_000_040_000 - 1_760_000_040_000 % (15 * MINUTE_MS) + 90_000
)  # the second minute of a quarter is half over
SPEED = 10.0


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    """Market time is wall time at NOW_MS, and ten times as fast."""
    exchange = build_exchange(parse(["--data", str(tmp_path), "--speed", f"{SPEED:g}", "--seed", "7"]), NOW_MS)
    yield exchange
    exchange.ledger.close()


def tell(exchange: Exchange, what: Any, where: Any = None, **more: Any) -> int:
    endpoints = METERED
    known = Known([(item.method, item.path) for item in endpoints], list(exchange.market.source.instruments))
    return exchange.faults.add(read_faults({"what": what, "where": where, **more}, known), NOW_MS)[0]


def ask(exchange: Exchange, path: str, query: str = "", after_wall_ms: int = 0) -> Any:
    """The answer of an endpoint at NOW_MS plus so much wall time."""
    endpoint: Endpoint = next(item for item in METERED if item.path == f"/api/v3/{path}")
    params = dict(pair.split("=") for pair in query.split("&") if pair)
    now = NOW_MS + after_wall_ms
    symbols = frozenset(filter(None, [params.get("symbol")]))
    met = exchange.faults.meet(Ask(endpoint.method, endpoint.path, symbols, params.get("interval")), now)
    call = Call(Params(query), now, exchange.clock.market_ms(now), met=met)
    return orjson.loads(orjson.dumps(endpoint.answer(exchange, call)))


def klines(exchange: Exchange, interval: str = "1m", after_wall_ms: int = 0, **params: Any) -> Any:
    query = "&".join(
        f"{name}={value}" for name, value in ({"symbol": "BTCUSDT", "interval": interval} | params).items()
    )
    return ask(exchange, "klines", query, after_wall_ms)


def struck(exchange: Exchange, fault_id: int) -> int:
    report: Any = exchange.faults.report(NOW_MS)
    return next(int(item["struck"]) for item in report["active"] if item["id"] == fault_id)


@pytest.mark.parametrize(
    ("delay_ms", "open_too", "missing"),
    [
        (2_000, False, []),  # 20 s of market time have passed long ago: the candle closed 30 s before
        (4_000, False, [1]),  # 40 s of market time
        (4_000, True, [0, 1]),
        (10_000, False, [1, 2]),  # 100 s
    ],
)
@pytest.mark.parametrize("limit", [5, 1000])
def test_the_newest_candles_are_late(
    exchange: Exchange, delay_ms: int, open_too: bool, missing: list[int], limit: int
) -> None:
    """``missing`` counts back from the unfinished candle, which is 0."""
    whole = [row[0] for row in klines(exchange, limit=1000)]
    fault = tell(exchange, {"kind": "missing_latest", "delay_ms": delay_ms, "open_too": open_too})
    seen = [row[0] for row in klines(exchange, limit=limit)]
    assert seen[-2:] == [at for number, at in enumerate(reversed(whole)) if number not in missing][1::-1]
    assert len(seen) == limit  # older ones take the place of those that are not there yet
    assert struck(exchange, fault) == bool(missing)
    assert set(whole[-3:]) < {row[0] for row in klines(exchange, limit=20, after_wall_ms=20_000)}


def test_a_gap_is_a_gap_from_either_end(exchange: Exchange) -> None:
    whole = klines(exchange, limit=20)
    begin, end = whole[10][0], whole[14][0]
    fault = tell(exchange, {"kind": "gap", "from_market_ms": begin, "to_market_ms": end}, {"symbol": "BTCUSDT"})
    assert klines(exchange, limit=16) == whole[:10] + whole[14:]
    assert klines(exchange, limit=5, startTime=whole[8][0]) == whole[8:10] + whole[14:17]
    assert klines(exchange, limit=3, startTime=begin, endTime=end - 1) == []
    assert klines(exchange, limit=3, endTime=whole[9][0]) == whole[7:10]
    assert len(klines(exchange, limit=5, symbol="ETHUSDT")) == 5
    assert struck(exchange, fault) == 3


@pytest.mark.parametrize("volume", ["zero", "keep"])
@pytest.mark.parametrize("interval", ["1m", "15m"])
def test_a_frozen_price_stands_still(exchange: Exchange, interval: str, volume: str) -> None:
    at_freeze = klines(exchange, interval, limit=10)
    price = ask(exchange, "ticker/price", "symbol=BTCUSDT")
    book = ask(exchange, "ticker/bookTicker", "symbol=BTCUSDT")
    later = 40 * 6_000  # 40 minutes of market time
    true = klines(exchange, interval, later, limit=1000)
    tell(exchange, {"kind": "frozen_price", "volume": volume}, {"symbol": "BTCUSDT"}, for_s=3600)
    frozen = klines(exchange, interval, later, limit=1000)
    assert [row[0] for row in frozen] == [row[0] for row in true]
    then = next(number for number, row in enumerate(frozen) if row[0] == at_freeze[-1][0])
    assert frozen[then - 9 : then] == at_freeze[:-1]
    assert frozen[then][1:5] == at_freeze[-1][1:5]
    assert all(row[1:5] == [price["price"]] * 4 for row in frozen[then + 1 :])
    assert len(frozen) > then + 2
    if volume == "zero":
        assert all((row[5], row[7], row[8]) == ("0.00000000", "0.00000000", 0) for row in frozen[then + 1 :])
    else:
        assert [row[5] for row in frozen] == [row[5] for row in true]
    assert ask(exchange, "ticker/price", "symbol=BTCUSDT", later) == price
    assert ask(exchange, "ticker/bookTicker", "symbol=BTCUSDT", later) == book
    assert ask(exchange, "ticker/24hr", "symbol=BTCUSDT", later)["lastPrice"] == price["price"]
    others = {row["symbol"]: row for row in ask(exchange, "ticker/price", "", later)}
    assert others["BTCUSDT"] == price
    assert others["ETHUSDT"] != ask(exchange, "ticker/price", "symbol=ETHUSDT")


def test_a_frozen_feed_may_leave_the_tickers_alone(exchange: Exchange) -> None:
    price = ask(exchange, "ticker/price", "symbol=BTCUSDT")
    tell(exchange, {"kind": "frozen_price", "tickers": False})
    assert ask(exchange, "ticker/price", "symbol=BTCUSDT", 600_000) != price


@pytest.mark.parametrize("factor", [10, 0.1])
def test_a_spike_multiplies_the_candles_of_its_range(exchange: Exchange, factor: float) -> None:
    whole = klines(exchange, limit=10)
    price = float(ask(exchange, "ticker/price", "symbol=BTCUSDT")["price"])
    window = {"from_market_ms": whole[3][0], "to_market_ms": whole[5][0]}
    fault = tell(exchange, {"kind": "spike", "factor": factor, "tickers": True, **window})
    bent = klines(exchange, limit=10)
    assert bent[:3] + bent[5:] == whole[:3] + whole[5:]
    for before, after in zip(whole[3:5], bent[3:5], strict=True):
        assert [float(value) for value in after[1:5]] == pytest.approx(
            [float(v) * factor for v in before[1:5]], abs=0.01
        )
        assert after[5] == before[5]
    assert struck(exchange, fault) == 1
    assert float(ask(exchange, "ticker/price", "symbol=BTCUSDT")["price"]) == price  # not in the range now


def test_a_spike_of_the_moment_shows_in_tickers_and_is_gone_afterwards(exchange: Exchange) -> None:
    price = float(ask(exchange, "ticker/price", "symbol=BTCUSDT")["price"])
    whole = klines(exchange, limit=3)
    tell(exchange, {"kind": "spike", "factor": 10, "tickers": True}, for_s=2)
    assert float(ask(exchange, "ticker/price", "symbol=BTCUSDT")["price"]) == pytest.approx(10 * price)
    assert float(ask(exchange, "avgPrice", "symbol=BTCUSDT")["price"]) > 9 * price
    day = ask(exchange, "ticker/24hr", "symbol=BTCUSDT")
    assert float(day["highPrice"]) == float(day["lastPrice"]) == pytest.approx(10 * price)
    assert float(ask(exchange, "depth", "symbol=BTCUSDT&limit=5")["bids"][0][0]) > 9 * price
    spiked = klines(exchange, limit=3)
    assert spiked[:2] == whole[:2]
    assert float(spiked[2][4]) == pytest.approx(10 * float(whole[2][4]))
    assert klines(exchange, after_wall_ms=2_000, limit=3, endTime=whole[2][0])[:2] == whole[:2]
    assert float(ask(exchange, "ticker/price", "symbol=BTCUSDT", 2_000)["price"]) < 2 * price


SPOILED: dict[str, Callable[[list[Any], list[Any]], bool]] = {
    "nan": lambda before, after: after[-2][1:5] == ["NaN"] * 4,
    "null": lambda before, after: after[-2][1:5] == [None] * 4,
    "zero": lambda before, after: after[-2][1:5] == ["0.00000000"] * 4,
    "negative": lambda before, after: after[-2][1:5] == [f"-{value}" for value in before[-2][1:5]],
    "inverted": lambda before, after: after[-2][2:4] == before[-2][3:1:-1] and after[-2][2] < after[-2][3],
    "duplicated": lambda before, after: after == [*before[:-1], before[-2], before[-1]],
    "out_of_order": lambda before, after: after == [*before[:-3], before[-2], before[-3], before[-1]],
    "future": lambda before, after: after[:-1] == before and after[-1][0] == before[-1][0] + 10 * MINUTE_MS,
    "short": lambda before, after: after[-2] == before[-2][:3],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_spoiled_candles(exchange: Exchange, shape: str) -> None:
    before = klines(exchange, limit=10)
    fault = tell(exchange, {"kind": "corrupt", "shape": shape})
    assert SPOILED[shape](before, klines(exchange, limit=10))
    assert len(klines(exchange, limit=1)) in (1, 2)
    assert klines(exchange, endTime=1_000) == []
    assert struck(exchange, fault) == 2


def test_an_endless_list_of_lies_adds_up(exchange: Exchange) -> None:
    whole = klines(exchange, limit=6)
    tell(exchange, {"kind": "gap", "from_market_ms": whole[1][0], "to_market_ms": whole[2][0]})
    tell(exchange, {"kind": "spike", "factor": 2, "from_market_ms": whole[3][0], "to_market_ms": whole[4][0]})
    tell(exchange, {"kind": "corrupt", "shape": "duplicated", "row": 0})
    bent = klines(exchange, limit=5)
    assert [row[0] for row in bent] == [whole[number][0] for number in (0, 0, 2, 3, 4, 5)]
    assert float(bent[3][4]) == pytest.approx(2 * float(whole[3][4]), abs=0.01)


@pytest.mark.parametrize(
    ("skew_ms", "drift", "after_wall_ms", "ahead_ms"),
    [(-5_000, 0, 0, -5_000), (5_000, 0, 9_000, 5_000), (100, 10, 7_000, 170)],
)
def test_the_servers_clock_is_off(
    exchange: Exchange, skew_ms: int, drift: float, after_wall_ms: int, ahead_ms: int
) -> None:
    tell(exchange, {"kind": "clock_skew", "skew_ms": skew_ms, "drift_ms_per_s": drift})
    assert ask(exchange, "time", "", after_wall_ms)["serverTime"] == NOW_MS + after_wall_ms + ahead_ms
    assert ask(exchange, "exchangeInfo", "", after_wall_ms)["serverTime"] == NOW_MS + after_wall_ms + ahead_ms


def test_signatures_are_judged_by_the_clock_that_is_off(running: Any) -> None:
    running.fault({"kind": "clock_skew", "skew_ms": -4_000})
    assert running.request("GET", "/api/v3/account", signed=True)[1]["code"] == -1021
    running.request("DELETE", "/sim/faults")
    running.fault({"kind": "clock_skew", "skew_ms": 6_000})
    assert running.request("GET", "/api/v3/account", signed=True)[1]["code"] == -1021
    running.request("DELETE", "/sim/faults")
    assert running.request("GET", "/api/v3/account", signed=True)[0] == 200


def test_an_order_cannot_be_queried_at_once(running: Any) -> None:
    lag = running.fault({"kind": "query_lag", "lag_ms": 60_000}, times=2)
    order = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01", "newClientOrderId": "slow-1"}
    assert running.request("POST", "/api/v3/order", signed=True, **order)[0] == 200
    query = {"symbol": "ETHUSDT", "origClientOrderId": "slow-1"}
    seen = [running.request("GET", "/api/v3/order", signed=True, **query)[1] for _ in range(3)]
    assert [answer.get("code") for answer in seen] == [-2013, -2013, None]
    assert seen[2]["status"] == "FILLED"
    assert running.struck(lag) == 2


def test_orders_are_hidden_for_as_long_as_the_fault_says(exchange: Exchange) -> None:
    tell(exchange, {"kind": "query_lag", "lag_ms": 1_000})
    met = exchange.faults.meet(Ask("GET", "/api/v3/order"), NOW_MS)
    placed = Placed()
    assert not placed.hides(("X", 5), met, NOW_MS)
    placed.note(("X", 5), NOW_MS)
    assert placed.hides(("X", 5), met, NOW_MS + 999)
    assert not placed.hides(("X", 5), met, NOW_MS + 1_000)
    assert not placed.hides(("X", 5), NOTHING, NOW_MS)
    assert not placed.hides(("Y", 5), met, NOW_MS)


def test_orders_meet_the_true_market(running: Any) -> None:
    running.fault({"kind": "spike", "factor": 10, "tickers": True})
    shown = float(running.request("GET", "/api/v3/ticker/price", symbol="ETHUSDT")[1]["price"])
    order = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
    answer = running.request("POST", "/api/v3/order", signed=True, **order)[1]
    running.request("DELETE", "/sim/faults")
    assert float(answer["fills"][0]["price"]) < shown / 5


def test_the_small_day_ticker(exchange: Exchange) -> None:
    full = ask(exchange, "ticker/24hr", "symbol=BTCUSDT")
    mini = ask(exchange, "ticker/24hr", "symbol=BTCUSDT&type=MINI")
    assert mini == {name: full[name] for name in mini}
    assert len(mini) == 12
    with pytest.raises(ApiError, match="-1130"):
        ask(exchange, "ticker/24hr", "symbol=BTCUSDT&type=HUGE")
