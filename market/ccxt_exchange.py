"""Public data of an exchange, by way of ccxt.

Binance and its simulation are asked through ccxt's raw endpoints: its load_markets would keep 45 MB of structures that
nobody reads, its candle parser costs more CPU than the request.
"""

import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import ccxt
import structlog

from market.access import Access
from market.candles import Candles
from market.ccxt_connection import RAW_BINANCE, SIMULATED, TIMEOUT_MS, UNREADABLE, Connection
from market.clock import Clock
from market.exchange import ExchangeError, Quote, Rejected, Transient, Withheld
from market.instruments import Instrument
from market.listings import from_binance, from_ccxt
from market.rate_limits import Cost, Priority, from_pace
from market.rate_limits import from_binance as limits_of_binance

__all__ = ["SIMULATED", "CcxtExchange", "known_exchange_ids"]

log = structlog.get_logger()

_WALL_TIME = Clock()
_LISTINGS_AGE_S = 3600.0  # ticks, steps and trading halts change now and then
_LISTINGS_RETRY_S = 60.0
_FIRST_LISTINGS_RETRY_S = 1.0  # while none are known
_MOST_NAMED = 100  # symbols in one question; for more it is asked for all of them, at the same weight


def known_exchange_ids() -> list[str]:
    """Every exchange that can be chosen: the simulated one, then ccxt's, by name."""
    return [SIMULATED, *sorted(ccxt.exchanges)]


class CcxtExchange:
    """Public data of one exchange (``market.exchange.MarketData``). Raises Transient or Rejected, nothing else.

    ``base_url`` is where the simulated exchange listens (``http://127.0.0.1:8899``), None for a real one; ``clock``
    stamps quotes with market time; ``access`` is asked before every request. Raises ValueError for an exchange that
    ccxt does not know.
    """

    def __init__(
        self, exchange_id: str, base_url: str | None = None, clock: Clock = _WALL_TIME, access: Access | None = None
    ) -> None:
        self.connection = Connection(exchange_id, base_url, access or Access())
        self.id = self.connection.id
        self._clock = clock
        self._access, self._ccxt = self.connection.access, self.connection.ccxt
        if self.id not in RAW_BINANCE:
            self._access.limits = from_pace(self._ccxt.rateLimit)
        self._instruments: dict[str, Instrument] = {}
        self._ids: dict[str, str] = {}
        self._symbols: dict[str, str] = {}
        self._loaded_at_s = self._reload_at_s = 0.0
        self._why_no_listings = ""

    def instruments(self) -> dict[str, Instrument]:
        """All spot symbols by unified name; halted ones too, with ``active`` False. Asked for once an hour.

        When they cannot be asked for again, the ones known are kept; when none is known, it is asked again after a
        while only.
        """
        now_s = time.monotonic()
        if now_s >= self._reload_at_s:
            try:
                self._load()
                self._loaded_at_s, self._reload_at_s = now_s, now_s + _LISTINGS_AGE_S
            except ExchangeError as error:
                self._reload_at_s = now_s + (_LISTINGS_RETRY_S if self._instruments else _FIRST_LISTINGS_RETRY_S)
                self._why_no_listings = str(error)
                if not self._instruments:
                    raise
        if not self._instruments:
            raise Withheld(self._why_no_listings, self._reload_at_s - now_s)
        return self._instruments

    def fetch_candles(self, symbol: str, timeframe: str, since_ms: int | None, limit: int) -> Candles:
        """Up to ``limit`` candles from ``since_ms`` on (None: the newest), as they came; the last may still be open."""
        market_id = self.market_id(symbol)
        with self._asking(f"candles of {symbol} {timeframe}", Priority.CANDLES, weight=2, subject=symbol):
            if self.id not in RAW_BINANCE:
                return Candles.from_rows(self._ccxt.fetch_ohlcv(symbol, timeframe, since_ms, limit))
            query = {"symbol": market_id, "interval": timeframe, "limit": limit}
            if since_ms is not None:
                query["startTime"] = since_ms
            return Candles.from_rows([row[:6] for row in _list(self._ccxt.publicGetKlines(query))])

    def fetch_quote(self, symbol: str) -> Quote:
        """The best prices now, stamped with the moment before asking. Transient while one side of the book is empty."""
        market_id, at_ms = self.market_id(symbol), self._clock.now().market_ms
        with self._asking(f"quote of {symbol}", Priority.EXITS, weight=2):
            if self.id in RAW_BINANCE:
                ticker = self._ccxt.publicGetTicker24hr({"symbol": market_id})
                texts = ticker["bidPrice"], ticker["askPrice"], ticker["lastPrice"]
            else:
                ticker = self._ccxt.fetch_ticker(symbol)
                texts = str(ticker["bid"]), str(ticker["ask"]), str(ticker["last"])
            bid, ask, last = (Decimal(text) for text in texts)
        if not all(price.is_finite() and price > 0 for price in (bid, ask, last)):
            raise Transient(f"{self.id}: nobody bids or asks for {symbol} now")
        return Quote(symbol=symbol, bid=bid, ask=ask, last=last, at_ms=at_ms)

    def fetch_prices(self, symbols: Collection[str]) -> dict[str, Decimal]:
        """The last price of each that is listed and has one, in quote. One request, however many there are."""
        known = self.instruments()
        wanted = {self._ids[symbol]: symbol for symbol in symbols if symbol in known}
        if not wanted:
            return {}
        named = len(wanted) <= _MOST_NAMED
        try:
            found = self._prices_of(wanted, named)
        except Rejected:
            if not named:
                raise
            found = self._prices_of(wanted, named=False)  # one of them is not listed any more
        return {symbol: price for symbol, price in found.items() if price is not None}

    def _prices_of(self, wanted: dict[str, str], named: bool) -> dict[str, Decimal | None]:
        """By symbol; ``wanted`` are symbols by the exchange's ids, asked for by name or picked out of all."""
        with self._asking("live prices", Priority.PRICES, weight=4):
            if self.id not in RAW_BINANCE:
                tickers = self._ccxt.fetch_tickers(sorted(wanted.values()) if named else None)
                last = {symbol: ticker["last"] for symbol, ticker in tickers.items()}
                return {symbol: _price(last.get(symbol)) for symbol in wanted.values()}
            query = {"symbols": json.dumps(sorted(wanted), separators=(",", ":"))} if named else {}
            rows = _list(self._ccxt.publicGetTickerPrice(query))
            return {wanted[row["symbol"]]: _price(row["price"]) for row in rows if row["symbol"] in wanted}

    def fetch_time(self) -> int | None:
        """The exchange's clock, UTC milliseconds of wall time; None when it has no way of telling."""
        if not self._ccxt.has["fetchTime"]:
            return None
        with self._asking("the exchange's clock", Priority.PRICES, weight=1):
            return int(self._ccxt.fetch_time())

    def market_id(self, symbol: str) -> str:
        """The exchange's own name of a symbol. Raises Rejected when it lists no such symbol."""
        if symbol not in self.instruments():
            raise Rejected(f"{self.id} has no spot symbol {symbol}", code="-1121")
        return self._ids[symbol]

    def symbol(self, market_id: str) -> str:
        """The unified name; the exchange's own where it is not listed (any more)."""
        self.instruments()
        return self._symbols.get(market_id, market_id)

    def look_again(self) -> None:
        """Somebody waits for a symbol to trade again: the symbols known now are good for a minute only."""
        self._reload_at_s = min(self._reload_at_s, self._loaded_at_s + _LISTINGS_RETRY_S)

    def forget_rules(self) -> None:
        """Ask for the symbols and their rules anew at the next use."""
        self._reload_at_s = 0.0

    def _load(self) -> None:
        with self._asking("symbols", Priority.PRICES, weight=20, timeout_ms=TIMEOUT_MS):
            found = self._binance_listings() if self.id in RAW_BINANCE else self._ccxt_listings()
            if not found:
                raise ValueError("no spot symbols")
        self._instruments = {instrument.symbol: instrument for _, instrument in found}
        self._ids = {instrument.symbol: market_id for market_id, instrument in found}
        self._symbols = {market_id: symbol for symbol, market_id in self._ids.items()}

    def _binance_listings(self) -> list[tuple[str, Instrument]]:
        query = {} if self.id == "binanceus" else {"showPermissionSets": "false"}  # half of the answer
        found = []
        info = self._ccxt.publicGetExchangeInfo(query)
        if limits := limits_of_binance(info.get("rateLimits", ())):
            self._access.set_limits(limits)
        for listing in _list(info["symbols"]):
            if not listing["isSpotTradingAllowed"]:
                continue
            base, quote = (self._ccxt.safe_currency_code(listing[name]) for name in ("baseAsset", "quoteAsset"))
            try:
                found.append((listing["symbol"], from_binance(listing, f"{base}/{quote}", base, quote)))
            except UNREADABLE as error:
                log.warning("symbol left out", exchange=self.id, symbol=listing["symbol"], error=repr(error))
        return found

    def _ccxt_listings(self) -> list[tuple[str, Instrument]]:
        found = []
        for market in self._ccxt.load_markets(True).values():
            if market["spot"]:
                instrument = from_ccxt(market, self._ccxt.precisionMode == ccxt.DECIMAL_PLACES)
                if instrument:
                    found.append((market["id"], instrument))
            market["info"] = None  # the exchange's own text of it, most of the memory
        return found

    @contextmanager
    def _asking(
        self, what: str, priority: Priority, weight: int, subject: str = "", timeout_ms: int | None = None
    ) -> Iterator[None]:
        try:
            with self.connection.asking(what, priority, Cost(weight), subject, timeout_ms):
                yield
        except Transient as error:
            if error.retry_after_s > 0:
                self.forget_rules()  # perhaps the limits are not what they were
            raise


def _price(value: float | str | None) -> Decimal | None:
    """A price out of a ticker; None for what is none, so that one bad row spoils no other."""
    try:
        price = Decimal(str(value))
    except ArithmeticError:
        return None
    return price if price.is_finite() and price > 0 else None


def _list(answer: object) -> list[Any]:
    """The answer, when it is a list: a proxy's page arrives as text, and text has items too."""
    if not isinstance(answer, list):
        raise TypeError(f"not a list but {type(answer).__name__}")
    return answer
