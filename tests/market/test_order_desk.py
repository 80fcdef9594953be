"""The order desk at a server that misbehaves, and what it says when it does."""

import json
import logging
import threading
import traceback
from contextlib import contextmanager
from decimal import Decimal as D
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

import pytest
from structlog.testing import capture_logs

from market.access import Access
from market.ccxt_exchange import CcxtExchange
from market.ccxt_orders import CcxtOrderDesk
from market.exchange import ExchangeError, KeyRights, OutcomeUnknown, Rejected, Transient, Withheld
from market.orders import OrderRequest, OrderType, Side
from tests.market.test_ccxt_exchange import INFO

KEY, SECRET = "KeyThatNobodyMaySee0123456789", "SecretThatNobodyMaySee987654321"
SALE = OrderRequest("mine", "BTC/USDT", Side.SELL, OrderType.MARKET, D("0.1"))
ACCEPTED = {
    "orderId": 1,
    "clientOrderId": "mine",
    "origQty": "0.1",
    "executedQty": "0",
    "status": "NEW",
    "side": "SELL",
}
INFO_BODY = (200, INFO, {})


@contextmanager
def desk_at(answer, **options):
    """``answer(method, path, query)`` is (status, text, headers); exchangeInfo is answered as it should be."""
    seen: list[tuple[str, str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        def _any(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            path, _, query = self.path.partition("?")
            asked = {name: values[0] for name, values in parse_qs(query or body).items()}
            seen.append((self.command, path, asked))
            echo = f"{self.command} {self.path} {self.headers} {body}"
            status, text, headers = INFO_BODY if path.endswith("exchangeInfo") else answer(self.command, path, echo)
            text = (text if isinstance(text, str) else json.dumps(text)).encode()
            self.send_response(status)
            for name, value in {"Content-Length": str(len(text)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_DELETE = _any

        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        exchange = CcxtExchange("binance", f"http://127.0.0.1:{listening.server_port}", access=Access())
        try:
            yield CcxtOrderDesk(exchange, KEY, SECRET, "demo", **options), seen
        finally:
            listening.shutdown()


def always(status, body, headers=None):
    return lambda *_: (status, body, headers or {})


# what is sent


def test_an_order_is_signed_and_sent_once():
    with desk_at(always(200, ACCEPTED)) as (desk, seen):
        assert desk.place(SALE).client_order_id == "mine"
    method, path, sent = seen[-1]
    assert (method, path, len(seen)) == ("POST", "/api/v3/order", 2)
    assert {sent.pop(name) for name in ("signature", "timestamp")}
    assert sent == {
        "symbol": "BTCUSDT",
        "side": "SELL",
        "type": "MARKET",
        "quantity": "0.1",
        "newClientOrderId": "mine",
        "newOrderRespType": "FULL",
        "recvWindow": "5000",
    }


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_an_order_is_never_redirected(status):
    with desk_at(always(status, "", {"Location": "/api/v3/elsewhere"})) as (desk, seen):
        with pytest.raises(OutcomeUnknown):
            desk.place(SALE)
        assert [path for _, path, _ in seen] == ["/api/v3/exchangeInfo", "/api/v3/order"]


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[]",
        "{}",
        "<html>",
        ACCEPTED | {"clientOrderId": "yours"},
        {name: value for name, value in ACCEPTED.items() if name != "clientOrderId"},
        {name: value for name, value in ACCEPTED.items() if name != "status"},
        ACCEPTED | {"status": "SOMETHING_NEW"},
        {"code": -2010, "msg": "Account has insufficient balance for requested action."},
        {"code": 0, "msg": ""},
    ],
)
def test_only_an_answer_about_our_order_says_that_it_was_accepted(body):
    with desk_at(always(200, body)) as (desk, seen):
        with pytest.raises(OutcomeUnknown):
            desk.place(SALE)
        assert len(seen) == 2


def test_a_time_limit_that_strikes_during_the_request_leaves_the_outcome_unknown(monkeypatch):
    class OutOfTime(Exception):
        pass

    def strike(query):
        raise OutOfTime

    with desk_at(always(200, ACCEPTED)) as (desk, _):
        monkeypatch.setattr(desk._ccxt, "privatePostOrder", strike)
        with pytest.raises(OutcomeUnknown, match="OutOfTime"):
            desk.place(SALE)


def test_what_keeps_an_order_from_being_sent_withholds_it():
    exchange = CcxtExchange("binance", "http://127.0.0.1:1", access=Access())
    with pytest.raises(Withheld):
        CcxtOrderDesk(exchange, KEY, SECRET, "demo").place(SALE)


def test_nobody_listens_any_more():
    with desk_at(always(200, ACCEPTED)) as (desk, _):
        desk.place(SALE)
    with pytest.raises(OutcomeUnknown):
        desk.place(SALE)


@pytest.mark.parametrize("name", ["kraken", "okx", "binanceusdm"])
def test_live_orders_are_for_exchanges_that_it_knows(name):
    with pytest.raises(ValueError, match=f"not at {name}"):
        CcxtOrderDesk(CcxtExchange(name), KEY, SECRET, "demo")


def test_a_real_exchange_is_never_sent_an_order_twice_by_ccxt():
    for name in ("binance", "binanceus"):
        desk = CcxtOrderDesk(CcxtExchange(name), KEY, SECRET, "demo")
        assert desk._ccxt.options["maxRetriesOnFailure"] == 0
        assert desk._ccxt.options["recvWindow"] == 5000
        assert not desk._ccxt.enableRateLimit
        assert {adapter.max_retries.total for adapter in desk._ccxt.session.adapters.values()} == {0}


def test_binance_us_does_not_tell_what_a_key_may_do():
    desk = CcxtOrderDesk(CcxtExchange("binanceus"), KEY, SECRET, "demo")
    assert desk.key_rights() == KeyRights(None, None, None, None)


# pages


def test_an_order_with_more_trades_than_a_page_has_all_of_them():
    """The second question goes on where the first answer ended."""
    trade = {"orderId": 5, "price": "1", "qty": "1", "commission": "0", "commissionAsset": "USDT", "time": 1}

    def page(_, path, echo):
        first = 1001 if "fromId=1001" in echo else 1
        return 200, [trade | {"id": number} for number in range(first, min(first + 1000, 1501))], {}

    with desk_at(page) as (desk, seen):
        fills = desk.fills("BTC/USDT", "5")
        assert [fill.trade_id for fill in fills] == [str(number) for number in range(1, 1501)]
        assert len(seen) == 3


def test_listings_come_oldest_first_whatever_their_order():
    rows = [ACCEPTED | {"orderId": number, "clientOrderId": f"o{number}", "time": number} for number in (10, 9, 100)]
    with desk_at(always(200, rows)) as (desk, _):
        assert [one.exchange_order_id for one in desk.latest_orders("BTC/USDT")] == ["9", "10", "100"]


def test_a_symbol_that_is_not_listed_goes_by_the_exchanges_own_name():
    rows = [ACCEPTED | {"symbol": "GONEUSDT"}, ACCEPTED | {"symbol": "BTCUSDT"}]
    with desk_at(always(200, rows)) as (desk, _):
        assert [one.symbol for one in desk.open_orders()] == ["GONEUSDT", "BTC/USDT"]


# secrets

ASKS = [
    lambda desk: desk.place(SALE),
    lambda desk: desk.cancel("BTC/USDT", "mine"),
    lambda desk: desk.find("BTC/USDT", "mine"),
    lambda desk: desk.key_rights(),
]
REPEATING = [
    "ECHO",
    f"<td>{KEY}</td><td>{SECRET}</td>ECHO",
    '{"code": -1102, "msg": "ECHO"}',
    '{"code": -2015, "msg": "ECHO"}',
]


def page_that_repeats(status, template):
    """A proxy that shows the whole request, as some do with an error."""
    return lambda method, path, echo: (status, template.replace("ECHO", echo.replace("\r\n", " ").replace('"', "")), {})


@pytest.mark.parametrize("ask", ASKS)
@pytest.mark.parametrize("status", [200, 302, 400, 429, 503])
@pytest.mark.parametrize("template", REPEATING)
def test_no_secret_gets_out(ask, status, template):
    with desk_at(page_that_repeats(status, template)) as (desk, seen), capture_logs() as lines:
        with pytest.raises(ExchangeError) as caught:
            ask(desk)
        signatures = [asked["signature"] for _, _, asked in seen if "signature" in asked]
    out = "".join([*traceback.format_exception(caught.value), repr(caught.value), str(lines), repr(desk)])
    assert signatures
    for secret in (KEY, SECRET, *signatures):
        assert secret not in out


def test_no_secret_is_in_the_log_of_a_connection_that_breaks(caplog):
    caplog.set_level(logging.INFO)
    with desk_at(always(503, "")) as (desk, _):
        for ask in ASKS:
            with pytest.raises((Transient, OutcomeUnknown, Rejected)):
                ask(desk)
    assert KEY not in caplog.text
    assert "signature" not in caplog.text
