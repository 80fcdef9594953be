"""Orders in Binance's words, and its answers in ours."""

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from market.binance_orders import balances, key_rights, new_order, venue_order, venue_trade
from market.exchange import Balance, KeyRights
from market.orders import OrderRequest, OrderType, ReportStatus, Side

ROW = {
    "symbol": "BTCUSDT",
    "orderId": 28,
    "clientOrderId": "mine",
    "price": "0.00000000",
    "origQty": "10.00000000",
    "executedQty": "0.00000000",
    "status": "NEW",
    "side": "SELL",
    "time": 1_499_827_319_559,
}
FILL = {"price": "4000.00000000", "qty": "1.0", "commission": "4.0", "commissionAsset": "USDT", "tradeId": 56}


def read(row: dict, name: str | None = "mine"):
    return venue_order(row, "BTC/USDT", str, name)


def asked(side: Side, kind: OrderType, **prices: object) -> dict[str, str]:
    sent = new_order(OrderRequest("mine", "BTC/USDT", side, kind, D("1E-5"), **prices), "BTCUSDT")
    common = {"symbol": "BTCUSDT", "newClientOrderId": "mine", "newOrderRespType": "FULL", "quantity": "0.00001"}
    assert {name: sent.pop(name) for name in common} == common
    return sent


def test_each_type_of_order():
    worst = {"worst_price": D("100.10")}
    assert asked(Side.BUY, OrderType.MARKET) == {"side": "BUY", "type": "MARKET"}
    assert asked(Side.SELL, OrderType.MARKET, **worst) == {"side": "SELL", "type": "MARKET"}
    bounded = {"side": "BUY", "type": "LIMIT", "timeInForce": "IOC", "price": "100.1"}
    assert asked(Side.BUY, OrderType.MARKET, **worst) == bounded
    resting = {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "price": "12000"}
    assert asked(Side.BUY, OrderType.LIMIT, price=D("1.2E+4"), **worst) == resting
    stop = {"side": "SELL", "type": "STOP_LOSS_LIMIT", "timeInForce": "GTC", "price": "0.00000094", "stopPrice": "95"}
    assert asked(Side.SELL, OrderType.STOP_LOSS_LIMIT, price=D("9.4E-7"), stop_price=D("95.000")) == stop


@pytest.mark.parametrize(
    ("kind", "prices"),
    [(OrderType.LIMIT, {}), (OrderType.STOP_LOSS_LIMIT, {"price": D(1)}), (OrderType.STOP_LOSS_LIMIT, {})],
)
def test_an_order_without_the_prices_it_needs_is_not_sent(kind, prices):
    with pytest.raises(ValueError, match="needs its prices"):
        asked(Side.SELL, kind, **prices)


@pytest.mark.parametrize(
    ("status", "executed", "expected"),
    [
        ("NEW", "0", ReportStatus.NEW),
        ("NEW", "0.1", ReportStatus.PARTIAL),
        ("PENDING_NEW", "0", ReportStatus.NEW),
        ("PARTIALLY_FILLED", "0.1", ReportStatus.PARTIAL),
        ("PENDING_CANCEL", "0", ReportStatus.NEW),
        ("PENDING_CANCEL", "0.1", ReportStatus.PARTIAL),
        ("FILLED", "10", ReportStatus.FILLED),
        ("CANCELED", "0.1", ReportStatus.CANCELED),
        ("EXPIRED", "0.1", ReportStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", "0", ReportStatus.EXPIRED),
        ("REJECTED", "0", ReportStatus.REJECTED),
    ],
)
def test_statuses(status, executed, expected):
    assert read(ROW | {"status": status, "executedQty": executed}).status is expected


def test_the_answer_to_a_new_order_has_its_fills():
    row = ROW | {"transactTime": 1_500_000_000_000, "executedQty": "1", "fills": [FILL]}
    del row["time"]
    order = read(row)
    at = datetime(2017, 7, 14, 2, 40, tzinfo=UTC)
    assert order.placed_at == order.fills[0].executed_at == at
    fill = order.fills[0]
    assert (fill.trade_id, fill.price, fill.amount, fill.fee, fill.fee_currency) == ("56", D(4000), D(1), D(4), "USDT")
    assert order.exchange_order_id == "28"


def test_the_answer_to_a_cancel_names_the_order_and_not_the_cancel():
    row = ROW | {"clientOrderId": "cancel-1", "origClientOrderId": "mine", "status": "CANCELED", "transactTime": 1}
    del row["time"]
    assert (read(row).client_order_id, read(row).placed_at) == ("mine", None)


@pytest.mark.parametrize("name", ["yours", "", "MINE", "mine "])
def test_an_answer_about_another_order_is_none(name):
    with pytest.raises(ValueError, match="an answer about"):
        read(ROW | {"clientOrderId": name})


@pytest.mark.parametrize("field", ["orderId", "clientOrderId", "origQty", "executedQty", "status", "side"])
@pytest.mark.parametrize("value", ["missing", None, "", "?", [], {}, "NaN"])
def test_an_answer_that_makes_no_sense_is_no_order(field, value):
    row = {name: one for name, one in ROW.items() if name != field}
    with pytest.raises((LookupError, TypeError, ValueError, ArithmeticError, AttributeError)):
        read(row if value == "missing" else row | {field: value})


def test_trades_balances_and_rights():
    row = {"id": 7, "orderId": 28, "time": 1_500_000_000_000, **FILL}
    trade = venue_trade(row, lambda code: f"<{code}>")
    assert (trade.exchange_order_id, trade.fill.trade_id, trade.fill.fee_currency) == ("28", "7", "<USDT>")
    rows = [{"asset": "BTC", "free": "0.0", "locked": "1.5"}, {"asset": "ETH", "free": "0.0", "locked": "0.00"}]
    assert balances(rows, str) == {"BTC": Balance(D(0), D("1.5"))}
    told = {"ipRestrict": True, "enableSpotAndMarginTrading": True, "enableWithdrawals": False}
    assert key_rights(told) == KeyRights(True, False, None, True)
    assert key_rights(told | {"enableInternalTransfer": False}) == KeyRights(True, False, None, True)
    assert key_rights(told | {"enableInternalTransfer": True}) == KeyRights(True, False, True, True)
    both = {"enableInternalTransfer": False, "permitsUniversalTransfer": False}
    assert key_rights(told | both) == KeyRights(True, False, False, True)
    assert key_rights({"enableWithdrawals": "false"}) == KeyRights(None, None, None, None)
