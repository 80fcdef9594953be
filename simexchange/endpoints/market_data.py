"""Market data: everything that needs no key."""

from __future__ import annotations

from decimal import Decimal

from simexchange.amounts import E8, decimal8, e8
from simexchange.endpoints import tickers
from simexchange.endpoints.shown import Shown
from simexchange.endpoints.symbol_info import symbol_info
from simexchange.errors import parameter_errors
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.market import trades
from simexchange.market.trades import Trade
from simexchange.requests.params import Params

_MOST_KLINES, _MOST_LEVELS = 1000, 5000
_TRADE_CANDLES = 1440  # how many of the shortest candles recent trades may be looked for in


def ping(exchange: Exchange, call: Call) -> object:
    return {}


def server_time(exchange: Exchange, call: Call) -> object:
    """Wall time: this is the clock that signatures are checked against."""
    return {"serverTime": call.server_ms}


def exchange_info(exchange: Exchange, call: Call) -> object:
    names = call.params.symbols()
    call.params.ignore("permissions", "showPermissionSets", "symbolStatus")
    call.params.refuse_unread()
    chosen = [exchange.market.instrument(name) for name in names or exchange.market.source.instruments]
    return {
        "timezone": "UTC",
        "serverTime": call.server_ms,
        "rateLimits": exchange.limits.as_rate_limits(),
        "exchangeFilters": [],
        "symbols": [symbol_info(item, exchange.market.trading(item.symbol, call.market_ms)) for item in chosen],
    }


def klines(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, interval = params.symbol(), params.required("interval")
    exchange.market.instrument(symbol)
    length_ms = exchange.market.interval_ms(symbol, interval)
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    limit = params.limit(500, _MOST_KLINES)
    if params.text("timeZone") not in (None, "0"):
        raise parameter_errors.bad_data("timeZone")
    params.refuse_unread()
    exchange.stats.count_klines(symbol, interval, call.market_ms // length_ms)
    return Shown(exchange, call).klines(symbol, length_ms, start_ms, end_ms, limit)


def average_price(exchange: Exchange, call: Call) -> object:
    symbol = call.params.symbol()
    call.params.refuse_unread()
    exchange.market.instrument(symbol)
    price = Shown(exchange, call).average_price(symbol, 5)
    return {"mins": 5, "price": decimal8(price or Decimal(0)), "closeTime": call.market_ms}


def order_book(exchange: Exchange, call: Call) -> object:
    symbol, limit = call.params.symbol(), call.params.limit(100, _MOST_LEVELS)
    call.params.refuse_unread()
    book = tickers.book(exchange, Shown(exchange, call), symbol, limit)
    return {
        "lastUpdateId": call.market_ms,
        "bids": [[decimal8(level.price), decimal8(level.quantity)] for level in book.bids],
        "asks": [[decimal8(level.price), decimal8(level.quantity)] for level in book.asks],
    }


def recent_trades(exchange: Exchange, call: Call) -> object:
    symbol, limit = call.params.symbol(), call.params.limit(500, trades.MOST)
    call.params.refuse_unread()
    instrument = exchange.market.instrument(symbol)
    now_ms = Shown(exchange, call).price_ms(symbol)
    rows = exchange.market.finished(symbol, _TRADE_CANDLES, now_ms)
    latest = trades.latest(rows, exchange.market.source.base_ms(symbol), instrument, now_ms, limit)
    return [public_trade(trade) for trade in latest]


def public_trade(trade: Trade) -> dict[str, object]:
    return {
        "id": trade.id,
        "price": e8(trade.price_e8),
        "qty": e8(trade.quantity_e8),
        "quoteQty": e8(trade.price_e8 * trade.quantity_e8 // E8),
        "time": trade.time_ms,
        "isBuyerMaker": trade.taker_sells,
        "isBestMatch": True,
    }


def _depth_weight(params: Params) -> int:
    levels = params.integer("limit") or 100
    return 5 if levels <= 100 else 25 if levels <= 500 else 50 if levels <= 1000 else 250


ENDPOINTS = (
    Endpoint("GET", "/api/v3/ping", lambda params: 1, ping),
    Endpoint("GET", "/api/v3/time", lambda params: 1, server_time),
    Endpoint("GET", "/api/v3/exchangeInfo", lambda params: 20, exchange_info),
    Endpoint("GET", "/api/v3/klines", lambda params: 2, klines),
    Endpoint("GET", "/api/v3/uiKlines", lambda params: 2, klines),
    Endpoint("GET", "/api/v3/trades", lambda params: 25, recent_trades),
    Endpoint("GET", "/api/v3/avgPrice", lambda params: 2, average_price),
    Endpoint("GET", "/api/v3/depth", _depth_weight, order_book),
)
