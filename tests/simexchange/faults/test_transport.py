"""What a client sees of each fault on the way, and whether its order was carried out all the same."""

from __future__ import annotations

import http.client
import json
import signal
import time
from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.simexchange.test_process import binance

ORDER = {"symbol": "ETHUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}
PLACE = "POST /api/v3/order"
PATIENCE_S = 0.4  # of the client, where it is to lose it


@pytest.fixture(autouse=True)
def no_faults(running: Any) -> Iterator[None]:
    yield
    running.request("DELETE", "/sim/faults")


def orders(running: Any) -> int:
    return len(running.request("GET", "/sim/ledger")[1]["orders"])


def settled(running: Any, expected: int, within_s: float = 3) -> bool:
    """Whether the ledger comes to hold that many orders in time."""
    end = time.monotonic() + within_s
    while orders(running) != expected and time.monotonic() < end:
        time.sleep(0.01)
    return orders(running) == expected


@pytest.mark.parametrize(
    ("what", "seen", "executed"),
    [
        ({"kind": "timeout_before"}, TimeoutError, False),
        ({"kind": "timeout_after"}, TimeoutError, True),
        ({"kind": "timeout_before", "hold_s": 0.05}, http.client.RemoteDisconnected, False),
        ({"kind": "timeout_after", "hold_s": 0.05}, http.client.RemoteDisconnected, True),
        ("reset_before", ConnectionResetError, False),
        ("reset_after", ConnectionResetError, True),
        ("truncated", http.client.IncompleteRead, True),
        ({"kind": "delayed_acceptance", "delay_s": 0.2, "answer": "reset"}, ConnectionResetError, True),
        ({"kind": "delayed_acceptance", "delay_s": 0.5}, TimeoutError, True),
    ],
)
def test_what_breaks_the_connection(running: Any, what: Any, seen: type[Exception], executed: bool) -> None:
    before = orders(running)
    fault = running.fault(what, PLACE)
    with pytest.raises(seen) as error:
        running.raw("POST", "/api/v3/order", signed=True, wait_s=PATIENCE_S, **ORDER)
    assert type(error.value) is seen  # RemoteDisconnected, the end without a reset, is a ConnectionResetError too
    assert running.struck(fault) == 1
    assert settled(running, before + executed)
    assert running.request("GET", "/api/v3/time")[0] == 200


@pytest.mark.parametrize(
    ("what", "status", "content", "executed"),
    [
        ({"kind": "http", "status": 502, "when": "after"}, 502, b"<html>", True),
        ({"kind": "http", "status": 500, "body": "empty"}, 500, b"", False),
        ({"kind": "http", "status": 503, "body": "json"}, 503, b'{"code":-1000', False),
        ({"kind": "http", "status": 504, "body": "text"}, 504, b"504 Gateway Timeout", False),
        ({"kind": "http", "status": 403}, 403, b"<html>", False),
        ({"kind": "http", "status": 404, "when": "after", "body": "empty"}, 404, b"", True),
        ("html_200", 200, b"<html>", True),
        ({"kind": "html_200", "when": "before"}, 200, b"<html>", False),
        ({"kind": "truncated", "length": "matching"}, 200, b'{"symbol":"ETHUSDT","orderId"', True),
        ({"kind": "slow_drip", "over_s": 0.2}, 200, b'{"symbol":"ETHUSDT"', True),
        ({"kind": "latency", "min_ms": 50, "max_ms": 60}, 200, b'{"symbol":"ETHUSDT"', True),
        ({"kind": "latency", "min_ms": 50, "when": "after"}, 200, b'{"symbol":"ETHUSDT"', True),
        ({"kind": "delayed_acceptance", "delay_s": 0.1, "answer": "error"}, 504, b'{"code":-1007', True),
        ({"kind": "delayed_acceptance", "delay_s": 0.1, "answer": "http"}, 504, b"<html>", True),
        ("too_many_requests", 429, b'{"code":-1003', False),
        ("banned", 418, b'{"code":-1003', False),
        ("maintenance", 503, b"<html>", False),
        ({"kind": "maintenance", "body": "sapi"}, 503, b'{"status":1,"msg":"system_maintenance"}', False),
    ],
)
def test_what_is_answered_wrongly(running: Any, what: Any, status: int, content: bytes, executed: bool) -> None:
    before = orders(running)
    fault = running.fault(what, PLACE, times=1)
    answer = running.raw("POST", "/api/v3/order", signed=True, **ORDER)
    assert answer.status == status
    assert answer.content.startswith(content)
    assert int(answer.headers["X-MBX-USED-WEIGHT-1M"]) > 0
    assert running.struck(fault) == 1
    assert settled(running, before + executed)


@pytest.mark.parametrize(
    ("code", "status", "retry_after"),
    [
        (-1000, 500, None),
        (-1001, 500, None),
        (-1003, 429, "5"),
        (-1006, 500, None),
        (-1007, 504, None),
        (-1013, 400, None),
        (-1015, 429, "5"),
        (-1021, 400, None),
        (-1022, 400, None),
        (-2010, 400, None),
        (-2011, 400, None),
        (-2013, 400, None),
        (-2014, 401, None),
        (-2015, 401, None),
    ],
)
@pytest.mark.parametrize("when", ["before", "after"])
def test_errors_with_ready_made_texts(running: Any, code: int, status: int, retry_after: str | None, when: str) -> None:
    before = orders(running)
    running.fault({"kind": "error", "code": code, "when": when}, PLACE)
    answer = running.raw("POST", "/api/v3/order", signed=True, **ORDER)
    told = json.loads(answer.content)
    assert (answer.status, told["code"], answer.headers["Retry-After"]) == (status, code, retry_after)
    assert len(told["msg"]) > 10
    assert orders(running) == before + (when == "after")


def test_an_error_of_ones_own(running: Any) -> None:
    running.fault({"kind": "error", "code": -2010, "msg": "Duplicate order sent."}, PLACE, times=1)
    running.fault({"kind": "error", "code": -4321, "msg": "Odd.", "status": 409, "retry_after_s": 3}, PLACE)
    told = [running.raw("POST", "/api/v3/order", signed=True, **ORDER) for _ in range(2)]
    assert json.loads(told[0].content) == {"code": -2010, "msg": "Duplicate order sent."}
    assert (told[1].status, told[1].headers["Retry-After"]) == (409, "3")
    assert json.loads(told[1].content) == {"code": -4321, "msg": "Odd."}


def test_an_order_is_accepted_long_after_its_client_gave_up(running: Any) -> None:
    before = orders(running)
    running.fault({"kind": "delayed_acceptance", "delay_s": 1.5}, PLACE, times=1)
    with pytest.raises(TimeoutError):
        running.raw("POST", "/api/v3/order", signed=True, wait_s=0.2, newClientOrderId="late-1", **ORDER)
    query = {"symbol": "ETHUSDT", "origClientOrderId": "late-1"}
    assert running.request("GET", "/api/v3/order", signed=True, **query)[1]["code"] == -2013
    assert orders(running) == before
    assert settled(running, before + 1)
    assert running.request("GET", "/api/v3/order", signed=True, **query)[1]["status"] == "FILLED"


def test_a_late_order_is_judged_by_when_it_came_in(running: Any) -> None:
    """Its timestamp was good at the door, though its recvWindow is over when it is carried out."""
    before = orders(running)
    running.fault({"kind": "delayed_acceptance", "delay_s": 0.6, "answer": "error"}, PLACE, times=1)
    running.request("POST", "/api/v3/order", signed=True, recvWindow=500, **ORDER)
    assert settled(running, before + 1)


def test_a_slow_answer_is_whole_but_late(running: Any) -> None:
    running.fault({"kind": "slow_drip", "over_s": 0.6}, "GET /api/v3/exchangeInfo")
    began = time.monotonic()
    status, answer = running.request("GET", "/api/v3/exchangeInfo")
    assert 0.5 < time.monotonic() - began < 3
    assert (status, len(answer["symbols"])) == (200, 13)


def test_a_held_request_holds_up_nobody_else(running: Any) -> None:
    running.fault({"kind": "latency", "min_ms": 2000}, "GET /api/v3/ticker/price", times=1)
    slow = http.client.HTTPConnection(running.host, running.port, timeout=10)
    slow.request("GET", "/api/v3/ticker/price")
    began = time.monotonic()
    assert running.request("GET", "/api/v3/ticker/price")[0] == 200
    assert time.monotonic() - began < 1
    slow.close()


def test_a_ban_counts_down_and_ends(running: Any) -> None:
    running.fault("banned", for_s=1.8)
    waits, seen = [], []
    end = time.monotonic() + 5
    while (not seen or seen[-1] == 418) and time.monotonic() < end:
        answer = running.raw("GET", "/api/v3/time")
        seen.append(answer.status)
        waits += [int(answer.headers["Retry-After"])] if answer.status == 418 else []
        time.sleep(0.05)
    assert seen[-1] == 200
    assert waits[0] == 2
    assert waits[-1] == 1


@pytest.mark.process
@pytest.mark.parametrize(
    ("what", "raised", "executed"),
    [
        ("timeout_after", ccxt.RequestTimeout, True),
        ("reset_after", ccxt.NetworkError, True),
        ("reset_before", ccxt.NetworkError, False),
        ("truncated", ccxt.NetworkError, True),
        ({"kind": "http", "status": 503, "when": "after"}, ccxt.ExchangeNotAvailable, True),
        ({"kind": "http", "status": 403, "body": "empty"}, ccxt.ExchangeNotAvailable, False),
        ({"kind": "error", "code": -1007, "when": "after"}, ccxt.RequestTimeout, True),
        ({"kind": "error", "code": -1006}, ccxt.OperationFailed, False),
        ({"kind": "error", "code": -1021}, ccxt.InvalidNonce, False),
        ({"kind": "error", "code": -2010}, ccxt.InsufficientFunds, False),
        ({"kind": "error", "code": -2015}, ccxt.AuthenticationError, False),
        ("too_many_requests", ccxt.DDoSProtection, False),
        ("banned", ccxt.DDoSProtection, False),
    ],
)
def test_what_ccxt_makes_of_it(running: Any, what: Any, raised: type[Exception], executed: bool) -> None:
    client = binance(running.url)
    client.load_markets()
    client.timeout = int(PATIENCE_S * 1000)
    before = orders(running)
    running.fault(what, PLACE)
    with pytest.raises(raised):
        client.create_order("ETH/USDT", "market", "buy", 0.01)
    assert settled(running, before + executed)


@pytest.mark.process
def test_ccxt_takes_a_web_page_for_an_order(running: Any) -> None:
    """The trap that a client has to know: HTTP 200 that is not JSON raises nothing."""
    client = binance(running.url)
    client.load_markets()
    running.fault("html_200", PLACE)
    assert client.create_order("ETH/USDT", "market", "buy", 0.01)["id"] is None


@pytest.mark.process
@pytest.mark.parametrize(
    ("what", "raised"),
    [("timeout_before", TimeoutError), ("timeout_after", TimeoutError), ("reset_after", ConnectionResetError)],
)
def test_a_broken_connection_leaves_no_noise(start: Any, what: str, raised: type[Exception]) -> None:
    """Neither in the log nor when the exchange is told to stop."""
    exchange = start()
    exchange.fault(what, times=1)
    with pytest.raises(raised):
        exchange.raw("GET", "/api/v3/time", wait_s=PATIENCE_S)
    assert exchange.request("GET", "/api/v3/time")[0] == 200
    exchange.process.send_signal(signal.SIGTERM)
    assert exchange.process.wait(timeout=5) == 0
    assert exchange.process.stderr.read() == ""


@pytest.mark.process
def test_held_and_delayed_requests_do_not_hold_up_the_end(start: Any) -> None:
    exchange = start()
    fault = exchange.fault({"kind": "delayed_acceptance", "delay_s": 60}, PLACE)
    held = http.client.HTTPConnection(exchange.host, exchange.port, timeout=10)
    held.request("POST", "/api/v3/order?symbol=ETHUSDT")
    end = time.monotonic() + 5
    while exchange.struck(fault) == 0 and time.monotonic() < end:
        time.sleep(0.01)
    assert exchange.struck(fault) == 1
    told = time.monotonic()
    exchange.process.send_signal(signal.SIGTERM)
    assert exchange.process.wait(timeout=5) == 0
    assert time.monotonic() - told < 3
    assert "Traceback" not in exchange.process.stderr.read()
    held.close()
