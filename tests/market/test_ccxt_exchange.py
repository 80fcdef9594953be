"""The border to ccxt: what the simulated exchange answers over HTTP, and every way in which a server can misbehave."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from market import ccxt_connection, ccxt_exchange
from market.ccxt_exchange import CcxtExchange, known_exchange_ids
from market.clock import Clock
from market.exchange import Rejected, Transient, Withheld
from market.exchange_clock import measure
from market.listings import from_binance, from_ccxt
from market.redaction import redacted
from market.slots import slot_at
from market.window import KEPT

LISTING = {
    "symbol": "BTCUSDT",
    "status": "TRADING",
    "baseAsset": "BTC",
    "quoteAsset": "USDT",
    "baseAssetPrecision": 8,
    "quotePrecision": 8,
    "isSpotTradingAllowed": True,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01", "maxPrice": "1000000.00", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "71.58", "stepSize": "0.00000000"},
        {"filterType": "NOTIONAL", "minNotional": "5.00000000", "maxNotional": "9000000.00000000"},
    ],
}
INFO = {"symbols": [LISTING]}
HTML = "<html><body>502 Bad Gateway</body></html>"
CANDLE = [3_600_000, "1.1", "1.3", "1.0", "1.2", "5.5", 7_199_999, "6", 3, "1", "1", "0"]
TICKER = {"bidPrice": "54777.12000000", "askPrice": "54777.13", "lastPrice": "54777.120000010000000001"}


@contextmanager
def server(**answers):
    """Answers by the last word of the path: (status, body, headers), or only a body; ``None`` hangs up."""
    hits: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            hits.append(self.path)
            answer = answers[self.path.partition("?")[0].rsplit("/", 1)[1]]
            if callable(answer):
                answer = answer(self.path)
            if answer is None:
                return
            status, body, headers = answer if isinstance(answer, tuple) else (200, answer, {})
            text = (body if isinstance(body, str) else json.dumps(body)).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield CcxtExchange("binance", f"http://127.0.0.1:{listening.server_port}"), hits
        finally:
            listening.shutdown()


# the simulated exchange


@pytest.mark.process
def test_the_simulated_exchange_end_to_end(simulated):
    clock = simulated.clock()
    exchange = CcxtExchange("binance", simulated.url, clock)
    assert exchange.id == "simulated"
    instruments = exchange.instruments()
    bitcoin = instruments["BTC/USDT"]
    assert (bitcoin.base, bitcoin.quote, bitcoin.active) == ("BTC", "USDT", True)
    slot = slot_at(clock.now().market_ms, 900)
    candles = exchange.fetch_candles("BTC/USDT", "15m", (slot - 10) * 900_000, 11)
    assert candles.opened_ms.tolist() == [(slot - 10 + i) * 900_000 for i in range(11)]
    assert (candles.high >= candles.low).all()
    assert len(exchange.fetch_candles("BTC/USDT", "4h", None, KEPT)) == KEPT
    before_ms = clock.now().market_ms
    quote = exchange.fetch_quote("BTC/USDT")
    assert 0 < quote.bid < quote.ask
    assert quote.bid % bitcoin.tick_size == 0
    assert before_ms <= quote.at_ms <= clock.now().market_ms
    stats = simulated.stats()
    assert stats["requests"] == 4  # exchangeInfo once, candles twice, the quote
    with pytest.raises(Rejected) as refusal:
        exchange.fetch_candles("BTC/USDT", "7m", None, 5)
    assert refusal.value.code == "-1120"
    with pytest.raises(Rejected, match="no spot symbol BTC/EUR"):
        exchange.fetch_quote("BTC/EUR")


@pytest.mark.process
def test_prices_and_time_of_the_simulated_exchange(simulated):
    exchange = CcxtExchange("binance", simulated.url, simulated.clock())
    symbols = sorted(exchange.instruments())
    simulated.reset()
    prices = exchange.fetch_prices([*symbols, "NO/SUCH"])
    assert sorted(prices) == symbols
    assert all(price > 0 for price in prices.values())
    stats = simulated.stats()
    assert (stats["requests"], stats["weight"]) == (1, 4)
    assert exchange.fetch_prices([]) == exchange.fetch_prices(["NO/SUCH"]) == {}
    assert simulated.stats()["requests"] == 1
    assert abs(exchange.fetch_time() - time.time() * 1000) < 5_000
    assert abs(measure(exchange, time.monotonic() + 5).ahead_ms) < 1_000


# exact values


def test_candles_and_quotes_of_binance():
    with server(exchangeInfo=INFO, klines=[CANDLE, CANDLE]) as (exchange, hits):
        candles = exchange.fetch_candles("BTC/USDT", "1h", 3_600_000, 2)
        assert [len(candles), *(column[0] for column in candles.prices())] == [2, 1.1, 1.3, 1.0, 1.2, 5.5]
        assert candles.opened_ms[0] == 3_600_000
        assert "startTime=3600000" in hits[1]
        assert "limit=2" in hits[1]
    with server(exchangeInfo=INFO, **{"24hr": TICKER}) as (exchange, hits):
        quote = exchange.fetch_quote("BTC/USDT")
        assert (quote.bid, quote.ask) == (Decimal("54777.12"), Decimal("54777.13"))
        assert quote.last == Decimal("54777.120000010000000001")


def test_live_prices_of_binance():
    rows = [{"symbol": "BTCUSDT", "price": "54777.120000010000000001"}, {"symbol": "ETHUSDT", "price": "0.00000000"}]
    others = [{"symbol": "NOBODYASKED", "price": "1"}]
    ether = LISTING | {"symbol": "ETHUSDT", "baseAsset": "ETH"}
    with server(exchangeInfo={"symbols": [LISTING, ether]}, price=rows + others) as (exchange, hits):
        found = exchange.fetch_prices(["ETH/USDT", "BTC/USDT"])
        assert found == {"BTC/USDT": Decimal("54777.120000010000000001")}  # a price of zero is none
        assert "symbols=%5B%22BTCUSDT%22%2C%22ETHUSDT%22%5D" in hits[1]


def test_one_bad_row_spoils_no_other_price():
    bad = [{"symbol": "BTCUSDT", "price": text} for text in ("", "abc", "NaN", "-1", None)]
    ether = LISTING | {"symbol": "ETHUSDT", "baseAsset": "ETH"}
    for row in bad:
        rows = [row, {"symbol": "ETHUSDT", "price": "2"}]
        with server(exchangeInfo={"symbols": [LISTING, ether]}, price=rows) as (exchange, _):
            assert exchange.fetch_prices(["ETH/USDT", "BTC/USDT"]) == {"ETH/USDT": Decimal(2)}


def test_a_symbol_that_is_no_longer_listed_takes_no_price_from_the_others():
    """Named, it makes the exchange refuse the whole question; so all are asked for, at the same weight."""
    ether = LISTING | {"symbol": "ETHUSDT", "baseAsset": "ETH"}
    refusal = (400, {"code": -1121, "msg": "Invalid symbol."}, {})

    def price(path):
        return refusal if "symbols=" in path else [{"symbol": "ETHUSDT", "price": "2"}]

    with server(exchangeInfo={"symbols": [LISTING, ether]}, price=price) as (exchange, hits):
        assert exchange.fetch_prices(["ETH/USDT", "BTC/USDT"]) == {"ETH/USDT": Decimal(2)}
        assert len(hits) == 3


def test_very_many_symbols_are_not_named_one_by_one():
    listed = [LISTING | {"symbol": f"C{i}USDT", "baseAsset": f"C{i}"} for i in range(101)]
    prices = [{"symbol": f"C{i}USDT", "price": f"{i + 1}"} for i in range(150)]
    with server(exchangeInfo={"symbols": listed}, price=prices) as (exchange, hits):
        found = exchange.fetch_prices([f"C{i}/USDT" for i in range(101)])
        assert found == {f"C{i}/USDT": Decimal(i + 1) for i in range(101)}
        assert hits[1].endswith("/ticker/price")


def test_an_empty_side_of_the_book_is_no_price():
    with (
        server(exchangeInfo=INFO, **{"24hr": TICKER | {"bidPrice": "0.00000000"}}) as (exchange, _),
        pytest.raises(Transient, match="nobody bids"),
    ):
        exchange.fetch_quote("BTC/USDT")


def test_symbols_are_asked_for_once():
    with server(exchangeInfo=INFO) as (exchange, hits):
        assert exchange.instruments() is exchange.instruments()
        assert len(hits) == 1


def test_whoever_waits_for_a_symbol_has_all_asked_for_within_a_minute(monkeypatch):
    halted, trading = ({"symbols": [LISTING | {"status": status}]} for status in ("BREAK", "TRADING"))
    answers = [halted, trading]
    with server(exchangeInfo=lambda path: answers.pop(0)) as (exchange, hits):
        assert not exchange.instruments()["BTC/USDT"].active
        exchange.look_again()
        assert not exchange.instruments()["BTC/USDT"].active  # a minute has not passed
        monkeypatch.setattr(ccxt_exchange, "_LISTINGS_RETRY_S", 0.0)
        exchange.look_again()
        assert exchange.instruments()["BTC/USDT"].active
        assert len(hits) == 2


def test_known_symbols_outlive_a_failed_reload(monkeypatch):
    monkeypatch.setattr(ccxt_exchange, "_LISTINGS_AGE_S", 0.0)
    answers = {"exchangeInfo": INFO}
    with server(**answers) as (exchange, hits):
        first = exchange.instruments()
    assert exchange.instruments() == first  # nobody listens any more
    assert len(hits) == 1


@pytest.mark.parametrize("refusal", [(401, {"code": -2015, "msg": "no"}, {}), (400, {"code": -1100, "msg": "no"}, {})])
def test_known_symbols_outlive_a_refused_reload_and_it_is_not_asked_at_every_call(monkeypatch, refusal):
    monkeypatch.setattr(ccxt_exchange, "_LISTINGS_AGE_S", 0.0)
    answers = [INFO, refusal]
    with server(exchangeInfo=lambda path: answers.pop(0)) as (exchange, hits):
        first = exchange.instruments()
        for _ in range(5):
            assert exchange.instruments() == first
        assert len(hits) == 2


def test_symbols_that_were_never_known_are_asked_for_now_and_then():
    with server(exchangeInfo=(503, HTML, {})) as (exchange, hits):
        for _ in range(5):
            with pytest.raises(Transient, match="503"):
                exchange.instruments()
        assert len(hits) == 1


def test_symbols_that_are_no_spot_or_make_no_sense_are_left_out():
    halted = LISTING | {"symbol": "ETHUSDT", "baseAsset": "ETH", "status": "BREAK"}
    margin = LISTING | {"symbol": "XUSDT", "baseAsset": "X", "isSpotTradingAllowed": False}
    broken = LISTING | {"symbol": "YUSDT", "baseAsset": "Y", "filters": []}
    with server(exchangeInfo={"symbols": [LISTING, halted, margin, broken]}) as (exchange, _):
        assert {name: item.active for name, item in exchange.instruments().items()} == {
            "BTC/USDT": True,
            "ETH/USDT": False,
        }


def test_a_binance_listing_is_read_exactly():
    item = from_binance(LISTING, "BTC/USDT", "BTC", "USDT")
    assert (item.tick_size, item.lot_step, item.min_amount) == (Decimal("0.01"), Decimal("0.00001"), Decimal("0.00001"))
    assert (item.max_amount, item.min_notional) == (Decimal("71.58"), Decimal(5))
    assert str(item.tick_size) == "0.01"


@pytest.mark.parametrize(
    ("kind", "change", "field", "value"),
    [
        ("PRICE_FILTER", {"tickSize": "0.00000000"}, "tick_size", "1e-8"),
        ("LOT_SIZE", {"stepSize": "0"}, "lot_step", "1e-8"),
        ("MARKET_LOT_SIZE", {"maxQty": "0"}, "max_amount", "9000"),
        ("MARKET_LOT_SIZE", {"minQty": "0.5"}, "min_amount", "0.5"),
        ("NOTIONAL", {"filterType": "MIN_NOTIONAL", "minNotional": "10"}, "min_notional", "10"),
    ],
)
def test_rules_that_are_switched_off(kind, change, field, value):
    filters = [item | (change if item["filterType"] == kind else {}) for item in LISTING["filters"]]
    item = from_binance(LISTING | {"filters": filters}, "BTC/USDT", "BTC", "USDT")
    assert getattr(item, field) == Decimal(value)


def ccxt_market(**precision):
    none = {"min": None, "max": None}
    limits = {"amount": {"min": 0.0001, "max": None}, "cost": none, "price": none}
    return {
        "symbol": "BTC/EUR",
        "base": "BTC",
        "quote": "EUR",
        "active": True,
        "precision": precision,
        "limits": limits,
    }


@pytest.mark.parametrize(
    ("precision", "decimal_places", "tick", "step"),
    [
        ({"price": 0.1, "amount": 1e-8}, False, "0.1", "0.00000001"),
        ({"price": 1, "amount": 8}, True, "0.1", "0.00000001"),
    ],
)
def test_a_market_of_another_exchange(precision, decimal_places, tick, step):
    item = from_ccxt(ccxt_market(**precision), decimal_places)
    assert item is not None
    assert (item.tick_size, item.lot_step, item.min_amount) == (Decimal(tick), Decimal(step), Decimal("0.0001"))
    assert item.min_notional == 0


def test_a_market_without_steps_is_left_out():
    assert from_ccxt(ccxt_market(price=None, amount=1e-8), False) is None


# errors


@pytest.mark.parametrize(
    ("answer", "kind", "wait_s"),
    [
        ((400, {"code": -1121, "msg": "Invalid symbol."}, {}), Rejected, None),
        ((400, {"code": -1100, "msg": "Illegal characters found."}, {}), Rejected, None),
        ((401, {"code": -2014, "msg": "API-key format invalid."}, {}), Rejected, None),
        ((401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, {}), Rejected, None),
        ((400, {"code": -1022, "msg": "Signature for this request is not valid."}, {}), Rejected, None),
        ((400, {"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}, {}), Transient, 0.0),
        ((400, {"code": -1001, "msg": "Internal error."}, {}), Transient, 0.0),
        ((400, {"code": -1006, "msg": "An unexpected response was received."}, {}), Transient, 0.0),
        ((400, {"code": -1008, "msg": "Server is currently overloaded."}, {}), Transient, 0.0),
        ((404, HTML, {}), Transient, 0.0),
        ((429, {"code": -1003, "msg": "Too many requests."}, {"Retry-After": "17"}), Transient, 17.0),
        ((418, {"code": -1003, "msg": "Banned."}, {"Retry-After": "240"}), Transient, 240.0),
        ((429, {"code": -1003, "msg": "Too many requests."}, {}), Transient, 5.0),
        ((429, "", {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"}), Transient, 5.0),
        ((503, {"code": -1000, "msg": "Unknown error."}, {}), Transient, 0.0),
        ((504, {"code": -1007, "msg": "Timeout waiting for response."}, {}), Transient, 0.0),
        ((502, HTML, {}), Transient, 0.0),
        ((500, "", {}), Transient, 0.0),
        ((403, HTML, {}), Transient, 30.0),
        ((200, HTML, {}), Transient, 0.0),
        ((200, "", {}), Transient, 0.0),
        ((200, {"surprise": 1}, {}), Transient, 0.0),
        ((200, [["x"]], {}), Transient, 0.0),
        ((200, [None], {}), Transient, 0.0),
        ((200, "[[1, ", {}), Transient, 0.0),
        ((200, [CANDLE], {"Content-Length": "100000"}), Transient, 0.0),  # cut off on the way
        (None, Transient, 0.0),
    ],
)
def test_every_answer_becomes_one_of_ours(answer, kind, wait_s, monkeypatch):
    monkeypatch.setattr(ccxt_connection, "READ_TIMEOUT_MS", 300)
    with server(exchangeInfo=INFO, klines=answer) as (exchange, hits):
        with pytest.raises(kind) as caught:
            exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
        assert len(hits) == 2  # it never asks again by itself
    assert "symbol=BTCUSDT" not in str(caught.value)
    assert caught.value.__suppress_context__
    if kind is Transient:
        assert caught.value.retry_after_s == wait_s
    else:
        assert caught.value.code == str(answer[1]["code"])


def test_a_revoked_key_is_no_rate_limit():
    """ccxt calls it DDoSProtection once a key has worked; the exchange's own code says what it is."""
    revoked = (401, {"code": -2015, "msg": "Invalid API-key, IP, or permissions for action."}, {})
    with server(exchangeInfo=INFO, klines=revoked) as (exchange, _):
        exchange._ccxt.options["hasAlreadyAuthenticatedSuccessfully"] = True
        with pytest.raises(Rejected, match="DDoSProtection") as caught:
            exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
    assert caught.value.code == "-2015"


@pytest.mark.parametrize(("status", "banned"), [(429, False), (418, True)])
def test_a_ban_is_told_from_a_limit(status, banned):
    answer = (status, {"code": -1003, "msg": "Way too much."}, {"Retry-After": "9"})
    with server(exchangeInfo=INFO, klines=answer) as (exchange, _), pytest.raises(Transient) as caught:
        exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
    assert (caught.value.banned, caught.value.retry_after_s) == (banned, 9)


def test_a_ban_that_names_its_end_is_heeded_until_then():
    until_ms = time.time_ns() // 1_000_000 + 100_000
    answer = (429, {"code": -1003, "msg": f"Way too much request weight used; IP banned until {until_ms}."}, {})
    with server(exchangeInfo=INFO, klines=answer) as (exchange, _), pytest.raises(Transient) as caught:
        exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
    assert caught.value.banned
    assert 90 < caught.value.retry_after_s <= 100


def test_of_two_ends_of_a_ban_the_later_counts():
    """Our clock may be ahead: by it the ban that is named has long ended."""
    past_ms = time.time_ns() // 1_000_000 - 600_000
    answer = (418, {"code": -1003, "msg": f"IP banned until {past_ms}."}, {"Retry-After": "300"})
    with server(exchangeInfo=INFO, klines=answer) as (exchange, _), pytest.raises(Transient) as caught:
        exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
    assert (caught.value.banned, caught.value.retry_after_s) == (True, 300)


def test_a_ban_that_names_no_end_lasts_as_long_as_the_shortest():
    with server(exchangeInfo=INFO, klines=(418, "", {})) as (exchange, _), pytest.raises(Transient) as caught:
        exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
    assert (caught.value.banned, caught.value.retry_after_s) == (True, 120)


# the door: every request passes it, and what came of it is told there


def test_the_exchange_tells_its_limits_and_what_was_used():
    limits = [{"rateLimitType": "REQUEST_WEIGHT", "interval": "DAY", "intervalNum": 1, "limit": 100}]
    used = (200, [CANDLE], {"X-MBX-USED-WEIGHT-1M": "58"})
    with server(exchangeInfo=INFO | {"rateLimits": limits}, klines=used) as (exchange, hits):
        exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
        assert [rule.limit for rule in exchange._access.limits] == [100]
        exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
        with pytest.raises(Withheld, match="the budget of weight for candles"):  # 58 and 2 of the 60 that are theirs
            exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
        assert len(hits) == 3


def test_after_429_nothing_is_asked_at_all():
    answer = (429, {"code": -1003, "msg": "Too many requests."}, {"Retry-After": "30"})
    with server(exchangeInfo=INFO, klines=answer, price=[]) as (exchange, hits):
        with pytest.raises(Transient):
            exchange.fetch_candles("BTC/USDT", "1h", 1, 2)
        for ask in (lambda: exchange.fetch_prices(["BTC/USDT"]), lambda: exchange.fetch_quote("BTC/USDT")):
            with pytest.raises(Withheld):
                ask()
        assert len(hits) == 2


def test_a_null_in_a_candle_is_left_for_the_border_check():
    with server(exchangeInfo=INFO, klines=[[3_600_000, "1", None, "1", "1", "1"]]) as (exchange, _):
        assert str(exchange.fetch_candles("BTC/USDT", "1h", None, 1).high[0]) == "nan"


def test_nobody_listens():
    with pytest.raises(Transient):
        CcxtExchange("binance", "http://127.0.0.1:1").instruments()


def test_a_silent_server_costs_one_timeout(monkeypatch):
    monkeypatch.setattr(ccxt_exchange, "TIMEOUT_MS", 200)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        exchange = CcxtExchange("binance", f"http://127.0.0.1:{silent.getsockname()[1]}")
        with pytest.raises(Transient, match="RequestTimeout"):
            exchange.instruments()


@pytest.mark.parametrize(
    "text",
    [
        "GET http://x/api/v3/account?timestamp=1&signature=abcdef failed",
        '{"apiKey": "abcdef"}',
        "secret=abcdef&a=1",
        "API_KEY: abcdef",
        "'X-Token': 'abcdef'",
    ],
)
def test_no_secret_reaches_a_log_line(text):
    assert "abcdef" not in redacted(text)
    assert len(redacted(text + "x" * 5000)) < 310


# configuration


def test_the_ids_to_choose_from():
    ids = known_exchange_ids()
    assert ids[0] == "simulated"
    assert {"binance", "kraken", "coinbase"} <= set(ids)


@pytest.mark.parametrize("name", ["nasdaq", "", "simulated"])
def test_an_unknown_exchange_is_refused(name):
    with pytest.raises(ValueError, match="unknown exchange"):
        CcxtExchange(name)


def test_the_simulated_exchange_never_reaches_the_internet():
    connection = CcxtExchange("binance", "http://127.0.0.1:1/")._ccxt
    assert {url.split("/")[2] for url in connection.urls["api"].values()} == {"127.0.0.1:1"}
    assert connection.urls["api"]["public"] == "http://127.0.0.1:1/api/v3"
    assert not connection.enableRateLimit


@pytest.mark.parametrize("name", ["binance", "kraken", "okx", "mexc"])
def test_a_real_exchange_is_asked_for_spot_only_and_at_its_pace(name):
    exchange = CcxtExchange(name, clock=Clock())
    assert exchange.id == name
    assert exchange._ccxt.enableRateLimit
    assert exchange._ccxt.options["maxRetriesOnFailure"] == 0
    kinds = (exchange._ccxt.options.get("fetchMarkets") or {}).get("types")
    assert kinds in (None, ["spot"]) or isinstance(kinds, dict)
