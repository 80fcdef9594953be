"""The account: everything that needs a signature."""

from __future__ import annotations

import secrets

from simexchange import depth, engine, errors
from simexchange.answers import my_trade, order_placed, order_status
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.orders import Balance, NewOrder, OrderType, Side
from simexchange.params import Params
from simexchange.timeframes import DAY_MS
from simexchange.wire import decimal8

_BOOK_LEVELS = 40  # how deep a market order may walk
_MOST_ROWS = 1000
_FAR_FUTURE_MS = 2**62


def account(exchange: Exchange, call: Call) -> object:
    only_held = call.params.flag("omitZeroBalances")
    call.params.refuse_unread()
    instruments = exchange.market.source.instruments.values()
    assets = sorted({i.base for i in instruments} | {i.quote for i in instruments} | exchange.account.balances.keys())
    held = [(asset, exchange.account.balance(asset)) for asset in assets]
    rate = decimal8(exchange.fee_rate)
    points = int(exchange.fee_rate * 10_000)
    return {
        "makerCommission": points,
        "takerCommission": points,
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": rate, "taker": rate, "buyer": "0.00000000", "seller": "0.00000000"},
        "canTrade": True,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.market_ms,
        "accountType": "SPOT",
        "balances": [
            {"asset": asset, "free": decimal8(balance.free), "locked": decimal8(balance.locked)}
            for asset, balance in held
            if not only_held or balance != Balance()
        ],
        "permissions": ["SPOT"],
        "uid": 1,
    }


def api_restrictions(exchange: Exchange, call: Call) -> object:
    call.params.refuse_unread()
    return {
        "ipRestrict": exchange.key.ip_restricted,
        "createTime": exchange.clock.origin_wall_ms,
        "enableReading": True,
        "enableSpotAndMarginTrading": True,
        "enableWithdrawals": exchange.key.may_withdraw,
        "enableInternalTransfer": exchange.key.may_withdraw,
        "permitsUniversalTransfer": exchange.key.may_withdraw,
        "enableMargin": False,
        "enableFutures": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
    }


def new_order(exchange: Exchange, call: Call) -> object:
    """Decide, write it down, make it the present, answer: in this order."""
    wish, response_type = _wish(call.params)
    exchange.order_count.check(exchange.limits, call.wall_ms)
    outcome = engine.place(exchange.account, wish, _terms(exchange, wish, call.market_ms))
    exchange.ledger.record(outcome)
    exchange.account.take(outcome)
    exchange.order_count.add(call.wall_ms)
    return order_placed(outcome.order, outcome.fills, response_type)


def test_order(exchange: Exchange, call: Call) -> object:
    """Every check of a new order, and nothing else."""
    call.params.ignore("computeCommissionRates")
    wish, _ = _wish(call.params)
    engine.place(exchange.account, wish, _terms(exchange, wish, call.market_ms))
    return {}


def _wish(params: Params) -> tuple[NewOrder, str]:
    """The order asked for, and how much of it to tell back."""
    symbol, side, kind = params.symbol(), params.required("side"), params.required("type")
    if side not in Side.__members__:
        raise errors.invalid_side()
    if kind not in OrderType.__members__:
        raise errors.invalid_order_type()
    quantity, quote_quantity = params.amount("quantity"), params.amount("quoteOrderQty")
    if quantity is None and quote_quantity is None:
        raise errors.missing_either("quantity", "quoteOrderQty")
    if quantity is not None and quote_quantity is not None:
        raise errors.not_required("quoteOrderQty")
    for name in ("price", "stopPrice", "timeInForce", "icebergQty", "trailingDelta"):
        if params.text(name) is not None:
            raise errors.not_required(name)
    client_id = params.client_id("newClientOrderId") or secrets.token_urlsafe(16)
    response_type = params.text("newOrderRespType") or "FULL"
    if response_type not in ("ACK", "RESULT", "FULL"):
        raise errors.bad_data("newOrderRespType")
    params.ignore("selfTradePreventionMode", "strategyId", "strategyType")
    params.refuse_unread()
    return NewOrder(symbol, Side(side), OrderType(kind), client_id, quantity, quote_quantity), response_type


def _terms(exchange: Exchange, wish: NewOrder, now_ms: int) -> engine.Terms:
    instrument = exchange.market.instrument(wish.symbol)
    price = exchange.market.price_e8(wish.symbol, now_ms)
    average = exchange.market.average_price(wish.symbol, 5, now_ms)
    if price is None or average is None:
        raise errors.market_closed()
    book = depth.book(instrument, price, _BOOK_LEVELS)
    return engine.Terms(instrument, book, average, exchange.fee_rate, now_ms)


def get_order(exchange: Exchange, call: Call) -> object:
    symbol, order_id, client_id = _which(exchange, call.params)
    call.params.refuse_unread()
    found = exchange.ledger.order(symbol, order_id, client_id)
    if found is None or (client_id is not None and found.client_order_id != client_id):
        raise errors.no_such_order()
    return order_status(found)


def cancel_order(exchange: Exchange, call: Call) -> object:
    """No order type that rests is offered yet, so there is never one to cancel."""
    _which(exchange, call.params)
    call.params.client_id("newClientOrderId")
    call.params.ignore("cancelRestrictions")
    call.params.refuse_unread()
    raise errors.unknown_cancel()


def _which(exchange: Exchange, params: Params) -> tuple[str, int | None, str | None]:
    symbol, order_id = params.symbol(), params.integer("orderId")
    client_id = params.client_id("origClientOrderId")
    exchange.market.instrument(symbol)
    if order_id is None and client_id is None:
        raise errors.missing_either("origClientOrderId", "orderId")
    return symbol, order_id, client_id


def open_orders(exchange: Exchange, call: Call) -> object:
    symbol = call.params.symbol() if call.params.one_symbol() else None
    call.params.refuse_unread()
    if symbol is not None:
        exchange.market.instrument(symbol)
    resting = exchange.account.open_orders.values()
    return [order_status(order) for order in resting if symbol in (None, order.symbol)]


def all_orders(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, from_id = params.symbol(), params.integer("orderId")
    start_ms, end_ms = _time_range(params)
    limit = params.limit(500, _MOST_ROWS)
    params.refuse_unread()
    exchange.market.instrument(symbol)
    return [order_status(order) for order in exchange.ledger.orders(symbol, from_id, start_ms, end_ms, limit)]


def my_trades(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, order_id, from_id = params.symbol(), params.integer("orderId"), params.integer("fromId")
    start_ms, end_ms = _time_range(params)
    limit = params.limit(500, _MOST_ROWS)
    params.refuse_unread()
    exchange.market.instrument(symbol)
    return [my_trade(fill) for fill in exchange.ledger.fills(symbol, order_id, from_id, start_ms, end_ms, limit)]


def _time_range(params: Params) -> tuple[int, int]:
    """Market time, both ends included; given both, Binance allows a day between them."""
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    if start_ms is not None and end_ms is not None:
        if end_ms < start_ms:
            raise errors.bad_combination()
        if end_ms - start_ms > DAY_MS:
            raise errors.ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start_ms or 0, _FAR_FUTURE_MS if end_ms is None else end_ms


def _open_orders_weight(params: Params) -> int:
    return 6 if params.one_symbol() else 80


def _trades_weight(params: Params) -> int:
    return 20 if params.integer("orderId") is None else 5


ENDPOINTS = (
    Endpoint("GET", "/api/v3/account", lambda params: 20, account, signed=True),
    Endpoint("POST", "/api/v3/order", lambda params: 1, new_order, signed=True),
    Endpoint("POST", "/api/v3/order/test", lambda params: 1, test_order, signed=True),
    Endpoint("GET", "/api/v3/order", lambda params: 4, get_order, signed=True),
    Endpoint("DELETE", "/api/v3/order", lambda params: 1, cancel_order, signed=True),
    Endpoint("GET", "/api/v3/openOrders", _open_orders_weight, open_orders, signed=True),
    Endpoint("GET", "/api/v3/allOrders", lambda params: 20, all_orders, signed=True),
    Endpoint("GET", "/api/v3/myTrades", _trades_weight, my_trades, signed=True),
    Endpoint("GET", "/sapi/v1/account/apiRestrictions", lambda params: 1, api_restrictions, signed=True),
)
