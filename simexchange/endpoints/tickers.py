"""Market data, second half: the tickers. One symbol is an object, several or all are a list."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from simexchange.amounts import E8, decimal8, e8, to_decimal
from simexchange.endpoints.shown import Shown
from simexchange.errors import parameter_errors
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.market import depth
from simexchange.market.candles import CLOSE, HIGH, LOW, OPEN, QUOTE_VOLUME, TRADES, VOLUME
from simexchange.market.timeframes import DAY_MS
from simexchange.requests.params import Params

_FIRST_TRADE_ID = 100_000_000
_NOT_IN_MINI = frozenset(
    {"priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice", "lastQty"}
    | {"bidPrice", "bidQty", "askPrice", "askQty"}
)


def price_ticker(exchange: Exchange, call: Call) -> object:
    shown = Shown(exchange, call)

    def one(symbol: str) -> dict[str, object]:
        exchange.market.instrument(symbol)
        return {"symbol": symbol, "price": e8(shown.price_e8(symbol) or 0)}

    return _tickers(exchange, call, one)


def book_ticker(exchange: Exchange, call: Call) -> object:
    shown = Shown(exchange, call)
    return _tickers(exchange, call, lambda symbol: {"symbol": symbol} | _best(exchange, shown, symbol))


def day_ticker(exchange: Exchange, call: Call) -> object:
    kind = call.params.text("type") or "FULL"
    if kind not in ("FULL", "MINI"):
        raise parameter_errors.bad_data("type")
    shown = Shown(exchange, call)

    def one(symbol: str) -> dict[str, object]:
        full = _day(exchange, shown, symbol, call.market_ms)
        return full if kind == "FULL" else {name: full[name] for name in full if name not in _NOT_IN_MINI}

    return _tickers(exchange, call, one)


def _tickers(exchange: Exchange, call: Call, one: Callable[[str], dict[str, object]]) -> object:
    names = call.params.symbols()
    call.params.refuse_unread()
    answers = [one(name) for name in (exchange.market.source.instruments if names is None else names)]
    return answers[0] if call.params.one_symbol() else answers


def book(exchange: Exchange, shown: Shown, symbol: str, levels: int) -> depth.Book:
    """The order book as it is shown; empty before the first trade."""
    instrument = exchange.market.instrument(symbol)
    price = shown.price_e8(symbol)
    return depth.Book([], []) if price is None else depth.book(instrument, price, levels)


def _best(exchange: Exchange, shown: Shown, symbol: str) -> dict[str, object]:
    offers = book(exchange, shown, symbol, 1)
    nothing = depth.Level(Decimal(0), Decimal(0))
    bid, ask = next(iter(offers.bids), nothing), next(iter(offers.asks), nothing)
    return {
        "bidPrice": decimal8(bid.price),
        "bidQty": decimal8(bid.quantity),
        "askPrice": decimal8(ask.price),
        "askQty": decimal8(ask.quantity),
    }


def _day(exchange: Exchange, shown: Shown, symbol: str, now_ms: int) -> dict[str, object]:
    instrument = exchange.market.instrument(symbol)
    rows = shown.day(symbol)
    last = shown.price_e8(symbol) or 0
    # A day without a trade still has a last price; the others stand at it.
    opened, high, low, volume, turnover, trades = (
        (int(rows[0, column]) for column in (OPEN, HIGH, LOW, VOLUME, QUOTE_VOLUME, TRADES))
        if len(rows)
        else (last, last, last, 0, 0, 0)
    )
    closed = int(rows[0, CLOSE]) if len(rows) else last
    percent = (Decimal(closed - opened) * 100 / opened) if opened else Decimal(0)
    weighted = to_decimal(turnover * E8 // volume) if volume else Decimal(0)
    return {
        "symbol": symbol,
        "priceChange": e8(closed - opened),
        "priceChangePercent": f"{percent:.3f}",
        "weightedAvgPrice": decimal8(weighted),
        "prevClosePrice": e8(opened),
        "lastPrice": e8(closed),
        "lastQty": decimal8(instrument.step),
        **_best(exchange, shown, symbol),
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


ENDPOINTS = (
    Endpoint("GET", "/api/v3/ticker/price", _weight(2, 4), price_ticker),
    Endpoint("GET", "/api/v3/ticker/bookTicker", _weight(2, 4), book_ticker),
    Endpoint("GET", "/api/v3/ticker/24hr", _day_weight, day_ticker),
)
