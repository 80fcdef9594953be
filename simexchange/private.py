"""The account: everything that needs a signature."""

from __future__ import annotations

from simexchange import cancel_replacing, errors, order_lists, trading
from simexchange.answers import my_trade, order_status
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.matcher import up_to_date
from simexchange.orders import Balance
from simexchange.params import Params
from simexchange.timeframes import DAY_MS
from simexchange.wire import decimal8

new_order = trading.new_order  # the server tells the order count in its answer

_ZERO = "0.00000000"
_MOST_ROWS = 1000
_FAR_FUTURE_MS = 2**62


@up_to_date
def account(exchange: Exchange, call: Call) -> object:
    only_held = call.params.flag("omitZeroBalances")
    call.params.refuse_unread()
    instruments = exchange.market.source.instruments.values()
    assets = sorted({i.base for i in instruments} | {i.quote for i in instruments} | exchange.account.balances.keys())
    held = [(asset, exchange.account.balance(asset)) for asset in assets]
    taker = exchange.fee_rate
    maker = taker if exchange.maker_fee_rate is None else exchange.maker_fee_rate
    return {
        "makerCommission": int(maker * 10_000),
        "takerCommission": int(taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {"maker": decimal8(maker), "taker": decimal8(taker), "buyer": _ZERO, "seller": _ZERO},
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


@up_to_date
def get_order(exchange: Exchange, call: Call) -> object:
    symbol, order_id, client_id = _which(exchange, call.params)
    call.params.refuse_unread()
    found = exchange.ledger.order(symbol, order_id, client_id)
    if found is None or (client_id is not None and found.client_order_id != client_id):
        raise errors.no_such_order()
    if exchange.query_lag.hides(*found.key, call.wall_ms):
        raise errors.no_such_order()
    return order_status(found)


def _which(exchange: Exchange, params: Params) -> tuple[str, int | None, str | None]:
    symbol, order_id = params.symbol(), params.integer("orderId")
    client_id = params.client_id("origClientOrderId")
    exchange.market.instrument(symbol)
    if order_id is None and client_id is None:
        raise errors.missing_either("origClientOrderId", "orderId")
    return symbol, order_id, client_id


@up_to_date
def open_orders(exchange: Exchange, call: Call) -> object:
    symbol = call.params.symbol() if call.params.one_symbol() else None
    call.params.refuse_unread()
    if symbol is not None:
        exchange.market.instrument(symbol)
    resting = sorted(exchange.account.open_orders.values(), key=lambda order: order.key)
    return [order_status(order) for order in resting if symbol in (None, order.symbol)]


@up_to_date
def all_orders(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, from_id = params.symbol(), params.integer("orderId")
    start_ms, end_ms = time_range(params)
    limit = params.limit(500, _MOST_ROWS)
    params.refuse_unread()
    exchange.market.instrument(symbol)
    return [order_status(order) for order in exchange.ledger.orders(symbol, from_id, start_ms, end_ms, limit)]


@up_to_date
def my_trades(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, order_id, from_id = params.symbol(), params.integer("orderId"), params.integer("fromId")
    start_ms, end_ms = time_range(params)
    limit = params.limit(500, _MOST_ROWS)
    params.refuse_unread()
    exchange.market.instrument(symbol)
    return [my_trade(fill) for fill in exchange.ledger.fills(symbol, order_id, from_id, start_ms, end_ms, limit)]


def order_counts(exchange: Exchange, call: Call) -> object:
    """How many orders of each window have not traded yet."""
    call.params.refuse_unread()
    windows = (exchange.order_count.ten_seconds, exchange.order_count.day)
    rows = [row for row in exchange.limits.as_rate_limits() if row["rateLimitType"] == "ORDERS"]
    return [row | {"count": window.add(0, call.wall_ms)} for row, window in zip(rows, windows, strict=True)]


def time_range(params: Params) -> tuple[int, int]:
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
    Endpoint("GET", "/api/v3/order", lambda params: 4, get_order, signed=True),
    Endpoint("GET", "/api/v3/openOrders", _open_orders_weight, open_orders, signed=True),
    Endpoint("GET", "/api/v3/allOrders", lambda params: 20, all_orders, signed=True),
    Endpoint("GET", "/api/v3/myTrades", _trades_weight, my_trades, signed=True),
    Endpoint("GET", "/api/v3/rateLimit/order", lambda params: 40, order_counts, signed=True),
    Endpoint("GET", "/sapi/v1/account/apiRestrictions", lambda params: 1, api_restrictions, signed=True),
    *trading.ENDPOINTS,
    *cancel_replacing.ENDPOINTS,
    *order_lists.ENDPOINTS,
)
