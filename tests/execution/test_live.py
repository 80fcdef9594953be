"""LiveTrader and its order desk against the simulated exchange over HTTP: orders, refusals, fees, the clock."""

from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import pytest

from market.exchange import Balance, KeyRights, OutcomeUnknown, Rejected, Transient
from market.orders import OrderReport, OrderRequest, OrderType, ReportStatus, Side
from simexchange.requests.auth import DEMO_KEY
from tests.live import SYMBOL, Venue, order, venue_with

pytestmark = pytest.mark.process


def filled(report) -> D:
    return sum((fill.amount for fill in report.fills), D(0))


def stop_of(venue: Venue, amount: str = "0.1") -> OrderRequest:
    prices = {"price": venue.near("0.94"), "stop_price": venue.near("0.95")}
    return order(Side.SELL, D(amount), OrderType.STOP_LOSS_LIMIT, **prices)


# orders


def test_a_buy_at_the_market_with_a_worst_price(venue):
    request, now = order(Side.BUY, D("0.01"), worst_price=venue.near("1.001")), venue.now()
    report = venue.trader().submit(request, now)
    assert (report.status, filled(report)) == (ReportStatus.FILLED, D("0.01"))
    assert all(fill.price <= request.worst_price for fill in report.fills)
    assert all(fill.fee_currency == "BTC" and fill.fee > 0 and fill.fee_rate is None for fill in report.fills)
    assert venue.at_exchange(request.client_order_id)[0]["timeInForce"] == "IOC"
    assert venue.trader().query(request, now, venue.now()) == report


@pytest.mark.parametrize("side", list(Side))
def test_orders_at_the_market(venue, side):
    request = order(side, D("0.01"))
    report = venue.trader().submit(request, venue.now())
    assert (report.status, filled(report)) == (ReportStatus.FILLED, D("0.01"))
    assert venue.at_exchange(request.client_order_id)[0]["type"] == "MARKET"
    executed_ms = report.fills[0].executed_at.timestamp() * 1000
    assert abs(executed_ms - venue.now().market_ms) < 5_000


def bought_at_the_ask(venue: Venue, amount: D) -> tuple[OrderRequest, OrderReport]:
    """An order at the best price, and its report, of a moment when the book stood still around it."""
    for _ in range(20):
        ask = venue.exchange.fetch_quote(SYMBOL).ask
        request = order(Side.BUY, amount, worst_price=ask)
        report = venue.trader().submit(request, venue.now())
        if venue.exchange.fetch_quote(SYMBOL).ask == ask:
            return request, report
    raise AssertionError("the book moved at every attempt")


def test_a_buy_never_pays_more_than_its_worst_price_and_the_rest_expires(venue):
    """The book offers less than this at its best price."""
    request, report = bought_at_the_ask(venue, D(50))
    assert report.status is ReportStatus.EXPIRED
    assert 0 < filled(report) < 50
    assert {fill.price for fill in report.fills} == {request.worst_price}
    assert venue.trader().query(request, venue.now(), venue.now()) == report


def test_a_worst_price_below_the_book_buys_nothing(venue):
    report = venue.trader().submit(order(Side.BUY, D(1), worst_price=venue.near("0.99")), venue.now())
    assert (report.status, report.fills) == (ReportStatus.EXPIRED, ())


def test_a_big_sale_has_many_fills_at_falling_prices(venue):
    request = order(Side.SELL, D(20))
    report = venue.trader().submit(request, venue.now())
    prices = [fill.price for fill in report.fills]
    assert (report.status, filled(report)) == (ReportStatus.FILLED, 20)
    assert prices == sorted(prices, reverse=True)
    assert len({fill.trade_id for fill in report.fills}) == len(prices) > 3
    assert venue.trader().query(request, venue.now(), venue.now()) == report


def test_a_limit_order_is_filled_in_part_and_its_rest_cancelled(venue):
    ask = venue.exchange.fetch_quote(SYMBOL).ask
    request, trader = order(Side.BUY, D(50), OrderType.LIMIT, price=ask), venue.trader()
    placed = trader.submit(request, venue.now())
    assert placed.status is ReportStatus.PARTIAL
    assert 0 < filled(placed) < 50
    assert trader.query(request, venue.now(), venue.now()) == placed
    ended = trader.cancel(request, venue.now())
    assert (ended.status, ended.fills) == (ReportStatus.CANCELED, placed.fills)
    assert trader.cancel(request, venue.now()) == ended  # may be repeated


def test_a_limit_order_rests(venue):
    request, trader = order(Side.BUY, D("0.5"), OrderType.LIMIT, price=venue.near("0.9")), venue.trader()
    assert trader.submit(request, venue.now()).status is ReportStatus.NEW
    listed = [one for one in venue.desk.open_orders() if one.client_order_id == request.client_order_id]
    assert [(one.symbol, one.side, one.amount, one.filled) for one in listed] == [(SYMBOL, Side.BUY, D("0.5"), 0)]
    assert trader.cancel(request, venue.now()).status is ReportStatus.CANCELED


def test_a_stop_rests_and_locks_what_it_would_sell(venue):
    request, trader, before = stop_of(venue), venue.trader(), venue.desk.balances()["BTC"]
    assert trader.submit(request, venue.now()).status is ReportStatus.NEW
    at_exchange = venue.at_exchange(request.client_order_id)[0]
    assert (at_exchange["type"], at_exchange["timeInForce"]) == ("STOP_LOSS_LIMIT", "GTC")
    assert (D(at_exchange["price"]), D(at_exchange["stopPrice"])) == (request.price, request.stop_price)
    locked = Balance(before.free - D("0.1"), before.locked + D("0.1"))
    assert venue.desk.balances()["BTC"] == locked
    assert trader.cancel(request, venue.now()).status is ReportStatus.CANCELED
    assert venue.desk.balances()["BTC"] == before


def test_a_cancel_that_comes_too_late_tells_the_fills(venue):
    request, trader = order(Side.SELL, D("0.02")), venue.trader()
    placed = trader.submit(request, venue.now())
    assert trader.cancel(request, venue.now()) == placed


def test_a_cancel_of_what_was_never_there_proves_nothing(venue):
    with pytest.raises(Transient, match="proves nothing"):
        venue.trader().cancel(order(Side.SELL, D(1)), venue.now())


# refusals


@pytest.mark.parametrize(
    ("change", "code", "reason"),
    [
        ({"amount": D("0.000001")}, "-1013", "lot size"),
        ({"amount": D("0.123456")}, "-1013", "lot size"),
        ({"amount": D("1E-9")}, "-1111", "precision"),
        ({"amount": D("0.00001")}, "-1013", "NOTIONAL"),
        ({"amount": D(500)}, "-1013", "lot size"),  # MARKET_LOT_SIZE
        ({"amount": D(0)}, "-1013", "Invalid quantity"),
        ({"amount": D(1), "symbol": "NO/SUCH"}, "-1121", "no spot symbol"),
        ({"amount": D(1), "client_order_id": "not an id!"}, "-1100", "Illegal characters"),
        ({"amount": D(1), "type": OrderType.LIMIT}, "", "needs its prices"),
        ({"amount": D(1), "type": OrderType.LIMIT, "price": D("70000.001")}, "-1013", "price"),
        ({"amount": D(1), "type": OrderType.LIMIT, "price": D(1)}, "-1013", "PERCENT_PRICE"),
        ({"amount": D(900), "side": Side.BUY, "type": OrderType.LIMIT, "price": D(60_000)}, "-1013", "NOTIONAL"),
        ({"amount": D(1), "type": OrderType.STOP_LOSS_LIMIT, "price": D(90_000), "stop_price": D(90_000)}, "-2010", ""),
        ({"amount": D(8_000), "type": OrderType.LIMIT, "price": D(1_000)}, "-1013", ""),
    ],
)
def test_refusals(venue, change, code, reason):
    request = replace(order(Side.SELL, D(1)), **change)
    report = venue.trader().submit(request, venue.now())
    assert (report.status, report.code) == (ReportStatus.REJECTED, code)
    assert reason.lower() in report.reason.lower()
    assert venue.at_exchange(request.client_order_id) == []


def test_too_little_money(venue):
    report = venue.trader().submit(order(Side.SELL, D(300), symbol="ETH/USDT"), venue.now())
    assert (report.status, report.code) == (ReportStatus.REJECTED, "-2010")
    assert "insufficient balance" in report.reason


def test_too_many_stops_on_a_symbol(venue):
    stops, trader = [stop_of(venue, "0.01") for _ in range(6)], venue.trader()
    reports = [trader.submit(stop, venue.now()) for stop in stops]
    assert [report.status for report in reports] == [ReportStatus.NEW] * 5 + [ReportStatus.REJECTED]
    assert "MAX_NUM_ALGO_ORDERS" in reports[-1].reason
    for stop in stops[:-1]:
        trader.cancel(stop, venue.now())


def test_a_name_that_is_in_use_may_be_ours_and_is_asked_for(venue):
    request, trader = stop_of(venue), venue.trader()
    placed = trader.submit(request, venue.now())
    with pytest.raises(OutcomeUnknown, match="Duplicate"):
        trader.submit(request, venue.now())
    assert trader.query(request, venue.now(), venue.now()) == placed
    trader.cancel(request, venue.now())


def test_a_halted_symbol_and_changed_rules_are_learned_from_the_refusal(venue):
    trader = venue.trader()
    try:
        venue.running.raw("POST", "/sim/symbols", symbol="LTCUSDT", status="BREAK")
        assert venue.exchange.instruments()["LTC/USDT"].active
        report = trader.submit(order(Side.BUY, D(1), symbol="LTC/USDT"), venue.now())
        assert (report.status, report.code) == (ReportStatus.REJECTED, "-1013")
        assert "Market is closed" in report.reason
        assert not venue.exchange.instruments()["LTC/USDT"].active
        venue.running.raw("POST", "/sim/symbols", symbol="LTCUSDT", status="TRADING", stepSize="0.5")
        trader.submit(order(Side.BUY, D("1.25"), symbol="LTC/USDT"), venue.now())
        assert venue.exchange.instruments()["LTC/USDT"].lot_step == D("0.5")
    finally:
        venue.running.raw("POST", "/sim/symbols", symbol="LTCUSDT", reset="true")


@pytest.mark.parametrize(
    ("key", "secret", "code"), [(DEMO_KEY, "wrong", "-1022"), ("unknown", "x", "-2015"), ("not!one", "x", "-2014")]
)
def test_a_wrong_key_is_a_refusal_of_orders_and_no_answer_to_a_question(venue, key, secret, code):
    venue.desk = venue.desk_of(key, secret)
    request = order(Side.SELL, D("0.01"))
    report = venue.trader().submit(request, venue.now())
    assert (report.status, report.code) == (ReportStatus.REJECTED, code)
    with pytest.raises(Transient, match="no answer"):
        venue.trader().query(request, venue.now(), venue.now())
    with pytest.raises(Rejected):
        venue.desk.balances()


def test_a_key_that_is_revoked_after_it_has_worked_is_no_rate_limit(venue):
    venue.desk.balances()
    venue.fault({"kind": "error", "code": -2015}, times=1)
    assert venue.trader().submit(order(Side.SELL, D("0.01")), venue.now()).code == "-2015"
    assert venue.trader().submit(order(Side.SELL, D("0.01")), venue.now()).status is ReportStatus.FILLED


# the account


def test_what_the_key_may_do(venue):
    assert venue.desk.key_rights() == KeyRights(True, False, False, False)


def test_balances_are_of_what_there_is(venue):
    held = venue.desk.balances()
    assert {"BTC", "USDT", "BNB"} <= set(held)
    assert held["BNB"] == Balance(D(100), D(0))
    assert all(balance.free or balance.locked for balance in held.values())


def test_the_latest_orders_and_trades_of_a_symbol(venue):
    request = order(Side.SELL, D(20), symbol=SYMBOL)
    report = venue.trader().submit(request, venue.now())
    newest = venue.desk.latest_orders(SYMBOL)[-1]
    assert (newest.client_order_id, newest.filled) == (request.client_order_id, 20)
    assert abs(newest.placed_at.timestamp() * 1000 - venue.now().market_ms) < 5_000
    trades = [one for one in venue.desk.latest_trades(SYMBOL) if one.exchange_order_id == newest.exchange_order_id]
    assert tuple(trade.fill for trade in trades) == report.fills


# fees in a third currency


def test_fees_in_another_currency_come_with_its_price(tmp_path: Path):
    with venue_with(tmp_path, "--fee-asset", "BNB") as venue:
        trader = venue.trader()
        request = order(Side.BUY, D("0.5"), worst_price=venue.near("1.001"))
        report = trader.submit(request, venue.now())
        assert {fill.fee_currency for fill in report.fills} == {"BNB"}
        bnb = venue.last("BNB/USDT")
        for fill in report.fills:
            assert abs(fill.fee_rate / bnb - 1) < D("0.01")
            assert abs(fill.fee * fill.fee_rate / (fill.price * fill.amount) - D("0.00075")) < D("0.00001")
        own = trader.submit(order(Side.SELL, D(1), symbol="BNB/USDT"), venue.now())
        assert {(fill.fee_currency, fill.fee_rate) for fill in own.fills} == {("BNB", None)}  # its own base
        venue.fault({"kind": "http", "status": 503}, "GET /api/v3/ticker/24hr")
        another = trader.submit(order(Side.SELL, D("0.5")), venue.now())  # nothing waits for the price of a fee
        assert another.status is ReportStatus.FILLED
        for fill in another.fills:
            assert abs(fill.fee * fill.fee_rate / (fill.price * fill.amount) - D("0.001")) < D("1e-9")


# the clock


@pytest.mark.parametrize("skew_ms", [10_000, -10_000])
def test_an_order_signed_at_the_wrong_time_is_refused_and_the_next_is_not(venue, skew_ms):
    venue.fault({"kind": "clock_skew", "skew_ms": skew_ms}, "*")
    request = order(Side.SELL, D("0.01"))
    report = venue.trader().submit(request, venue.now())
    assert (report.status, report.code) == (ReportStatus.REJECTED, "-1021")
    assert venue.at_exchange(request.client_order_id) == []  # never sent again
    assert abs(venue.access.offset_ms - skew_ms) < 500
    assert venue.trader().submit(order(Side.SELL, D("0.01")), venue.now()).status is ReportStatus.FILLED
    assert abs(venue.desk.wall_ms() - venue.now().wall_ms - skew_ms) < 500


def test_a_question_asked_at_the_wrong_time_is_answered_the_next_time(venue):
    venue.fault({"kind": "clock_skew", "skew_ms": 10_000}, "*")
    with pytest.raises(Transient, match="InvalidNonce"):
        venue.desk.balances()
    assert venue.desk.balances()


def test_a_known_offset_is_signed_with_from_the_start(venue):
    venue.fault({"kind": "clock_skew", "skew_ms": 10_000}, "*")
    venue.access.set_offset(10_000)
    assert venue.trader().submit(order(Side.SELL, D("0.01")), venue.now()).status is ReportStatus.FILLED
