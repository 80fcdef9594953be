"""Market data: everything that needs no key."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal

from simexchange import depth, errors
from simexchange.answers import kline_list
from simexchange.candles import CLOSE, HIGH, LOW, OPEN, QUOTE_VOLUME, TRADES, VOLUME
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.instruments import symbol_info
from simexchange.orders import OrderType
from simexchange.params import Params
from simexchange.timeframes import DAY_MS
from simexchange.wire import decimal8, e8, to_decimal

_MOST_KLINES, _MOST_LEVELS = 1000, 500
_FIRST_TRADE_ID = 100_000_000


def ping(exchange: Exchange, call: Call) -> object:
    return {}


def server_time(exchange: Exchange, call: Call) -> object:
    """Wall time: this is the clock that signatures are checked against."""
    return {"serverTime": call.wall_ms}


def exchange_info(exchange: Exchange, call: Call) -> object:
    names = call.params.symbols()
    call.params.ignore("permissions", "showPermissionSets", "symbolStatus")
    call.params.refuse_unread()
    chosen = [exchange.market.instrument(name) for name in _names(exchange, names)]
    return {
        "timezone": "UTC",
        "serverTime": call.wall_ms,
        "rateLimits": exchange.limits.as_rate_limits(),
        "exchangeFilters": [],
        "symbols": [
            symbol_info(item, exchange.market.trading(item.symbol, call.market_ms), tuple(OrderType)) for item in chosen
        ],
    }


def klines(exchange: Exchange, call: Call) -> object:
    params = call.params
    symbol, interval = params.symbol(), params.required("interval")
    exchange.market.instrument(symbol)
    length_ms = exchange.market.interval_ms(symbol, interval)
    start_ms, end_ms = params.integer("startTime"), params.integer("endTime")
    limit = params.limit(500, _MOST_KLINES)
    if params.text("timeZone") not in (None, "0"):
        raise errors.bad_data("timeZone")
    params.refuse_unread()
    exchange.stats.count_klines(symbol, interval)
    rows = exchange.market.klines(symbol, length_ms, start_ms, end_ms, limit, call.market_ms)
    return kline_list(rows, length_ms)


def average_price(exchange: Exchange, call: Call) -> object:
    symbol = call.params.symbol()
    call.params.refuse_unread()
    exchange.market.instrument(symbol)
    price = exchange.market.average_price(symbol, 5, call.market_ms)
    return {"mins": 5, "price": decimal8(price or Decimal(0)), "closeTime": call.market_ms}


def order_book(exchange: Exchange, call: Call) -> object:
    symbol, limit = call.params.symbol(), call.params.limit(100, _MOST_LEVELS)
    call.params.refuse_unread()
    book = _book(exchange, symbol, limit, call.market_ms)
    return {
        "lastUpdateId": call.market_ms,
        "bids": [[decimal8(level.price), decimal8(level.quantity)] for level in book.bids],
        "asks": [[decimal8(level.price), decimal8(level.quantity)] for level in book.asks],
    }


def price_ticker(exchange: Exchange, call: Call) -> object:
    def one(symbol: str) -> dict[str, object]:
        exchange.market.instrument(symbol)
        return {"symbol": symbol, "price": e8(exchange.market.price_e8(symbol, call.market_ms) or 0)}

    return _tickers(exchange, call, one)


def book_ticker(exchange: Exchange, call: Call) -> object:
    return _tickers(exchange, call, lambda symbol: {"symbol": symbol} | _best(exchange, symbol, call.market_ms))


def day_ticker(exchange: Exchange, call: Call) -> object:
    call.params.ignore("type")
    return _tickers(exchange, call, lambda symbol: _day(exchange, symbol, call.market_ms))


def _names(exchange: Exchange, asked: Iterable[str] | None) -> list[str]:
    return list(exchange.market.source.instruments) if asked is None else list(asked)


def _tickers(exchange: Exchange, call: Call, one: Callable[[str], dict[str, object]]) -> object:
    """One object for ``symbol``, a list for ``symbols`` or for all."""
    names = _names(exchange, call.params.symbols())
    call.params.refuse_unread()
    answers = [one(name) for name in names]
    return answers[0] if call.params.one_symbol() else answers


def _book(exchange: Exchange, symbol: str, levels: int, now_ms: int) -> depth.Book:
    instrument = exchange.market.instrument(symbol)
    price = exchange.market.price_e8(symbol, now_ms)
    return depth.Book([], []) if price is None else depth.book(instrument, price, levels)


def _best(exchange: Exchange, symbol: str, now_ms: int) -> dict[str, object]:
    book = _book(exchange, symbol, 1, now_ms)
    nothing = depth.Level(Decimal(0), Decimal(0))
    bid, ask = next(iter(book.bids), nothing), next(iter(book.asks), nothing)
    return {
        "bidPrice": decimal8(bid.price),
        "bidQty": decimal8(bid.quantity),
        "askPrice": decimal8(ask.price),
        "askQty": decimal8(ask.quantity),
    }


def _day(exchange: Exchange, symbol: str, now_ms: int) -> dict[str, object]:
    instrument = exchange.market.instrument(symbol)
    rows = exchange.market.day(symbol, now_ms)
    last = exchange.market.price_e8(symbol, now_ms) or 0
    # A day without a trade still has a last price; the others stand at it.
    opened, high, low, volume, turnover, trades = (
        (int(rows[0, column]) for column in (OPEN, HIGH, LOW, VOLUME, QUOTE_VOLUME, TRADES))
        if len(rows)
        else (last, last, last, 0, 0, 0)
    )
    closed = int(rows[0, CLOSE]) if len(rows) else last
    percent = (Decimal(closed - opened) * 100 / opened) if opened else Decimal(0)
    weighted = to_decimal(turnover * 10**8 // volume) if volume else Decimal(0)
    return {
        "symbol": symbol,
        "priceChange": e8(closed - opened),
        "priceChangePercent": f"{percent:.3f}",
        "weightedAvgPrice": decimal8(weighted),
        "prevClosePrice": e8(opened),
        "lastPrice": e8(closed),
        "lastQty": decimal8(instrument.step),
        **_best(exchange, symbol, now_ms),
        "openPrice": e8(opened),
        "highPrice": e8(high),
        "lowPrice": e8(low),
        "volume": e8(volume),
        "quoteVolume": e8(turnover),
        "openTime": now_ms - DAY_MS,
        "closeTime": now_ms,
        "firstId": _FIRST_TRADE_ID if trades else -1,
        "lastId": _FIRST_TRADE_ID + trades - 1 if trades else -1,
        "count": trades,
    }


def _weight(one: int, many: int) -> Callable[[Params], int]:
    """Weight of a ticker: of one symbol, or of a list or all."""
    return lambda params: one if params.one_symbol() else many


def _day_weight(params: Params) -> int:
    """2 for up to 20 symbols, 40 for up to 100, 80 for all."""
    names = params.symbols()
    return 80 if names is None or len(names) > 100 else 2 if len(names) <= 20 else 40


def _depth_weight(params: Params) -> int:
    levels = params.integer("limit") or 100
    return 5 if levels <= 100 else 25 if levels <= 500 else 50 if levels <= 1000 else 250


ENDPOINTS = (
    Endpoint("GET", "/api/v3/ping", lambda params: 1, ping),
    Endpoint("GET", "/api/v3/time", lambda params: 1, server_time),
    Endpoint("GET", "/api/v3/exchangeInfo", lambda params: 20, exchange_info),
    Endpoint("GET", "/api/v3/klines", lambda params: 2, klines),
    Endpoint("GET", "/api/v3/avgPrice", lambda params: 2, average_price),
    Endpoint("GET", "/api/v3/depth", _depth_weight, order_book),
    Endpoint("GET", "/api/v3/ticker/price", _weight(2, 4), price_ticker),
    Endpoint("GET", "/api/v3/ticker/bookTicker", _weight(2, 4), book_ticker),
    Endpoint("GET", "/api/v3/ticker/24hr", _day_weight, day_ticker),
)
