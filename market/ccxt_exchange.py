"""The border to ccxt. Nothing else imports it, and no exception of its passes through here.

One object per process, made after fork: ccxt keeps an HTTP session and a throttle in it. Binance and its simulation are
asked through ccxt's raw endpoints: its load_markets would keep 45 MB of structures that nobody reads, its candle parser
costs more CPU than the request.
"""

import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

import ccxt
import structlog

from market.access import Access
from market.candles import Candles
from market.clock import Clock
from market.exchange import ExchangeError, Quote, Rejected, Transient, Withheld
from market.http_deadline import limit_whole_answers
from market.instruments import Instrument
from market.listings import from_binance, from_ccxt
from market.rate_limits import Cost, Priority, from_pace
from market.rate_limits import from_binance as limits_of_binance
from market.read_errors import FIREWALL, Says, banned_for_s, what_it_says
from market.redaction import redacted

log = structlog.get_logger()

SIMULATED = "simulated"
"""The id of the simulated exchange, which speaks Binance's language."""

_RAW_BINANCE = ("binance", "binanceus", SIMULATED)
_WALL_TIME = Clock()
_TIMEOUT_MS = 15_000  # longer than Binance's matching engine may take over an order (10 s)
_READ_TIMEOUT_MS = 4_000  # a read may simply be asked again
_LISTINGS_AGE_S = 3600.0  # ticks, steps and trading halts change now and then
_LISTINGS_RETRY_S = 60.0
_FIRST_LISTINGS_RETRY_S = 1.0  # while none are known
_BACK_OFF_S = 5.0  # where the exchange says "too many requests" without saying for how long
_BAN_S = 120.0  # where it bans without saying for how long: the shortest ban there is
_FIREWALL_BACK_OFF_S = 30.0  # where its firewall says so, which never says for how long
_MOST_NAMED = 100  # symbols in one question; for more it is asked for all of them, at the same weight

_REFUSALS = (ccxt.BadRequest, ccxt.AuthenticationError, ccxt.NotSupported, ccxt.ArgumentsRequired)
_TOO_MANY = (ccxt.DDoSProtection, ccxt.RateLimitExceeded)
_UNREADABLE = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError)


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
        self.id = SIMULATED if base_url else exchange_id
        self._clock = clock
        self._access = access or Access()
        self._ccxt = _connection(exchange_id, base_url)
        if self.id not in _RAW_BINANCE:
            self._access.limits = from_pace(self._ccxt.rateLimit)
        self._instruments: dict[str, Instrument] = {}
        self._ids: dict[str, str] = {}
        self._reload_at_s, self._why_no_listings = 0.0, ""

    def instruments(self) -> dict[str, Instrument]:
        """All spot symbols by unified name; halted ones too, with ``active`` False. Asked for once an hour.

        When they cannot be asked for again, the ones known are kept; when none is known, it is asked again after a
        while only.
        """
        now_s = time.monotonic()
        if now_s >= self._reload_at_s:
            try:
                self._load()
                self._reload_at_s = now_s + _LISTINGS_AGE_S
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
        market_id = self._market_id(symbol)
        with self._asking(f"candles of {symbol} {timeframe}", Priority.CANDLES, weight=2, subject=symbol):
            if self.id not in _RAW_BINANCE:
                return Candles.from_rows(self._ccxt.fetch_ohlcv(symbol, timeframe, since_ms, limit))
            query = {"symbol": market_id, "interval": timeframe, "limit": limit}
            if since_ms is not None:
                query["startTime"] = since_ms
            return Candles.from_rows([row[:6] for row in _list(self._ccxt.publicGetKlines(query))])

    def fetch_quote(self, symbol: str) -> Quote:
        """The best prices now, stamped with the moment before asking. Transient while one side of the book is empty."""
        market_id, at_ms = self._market_id(symbol), self._clock.now().market_ms
        with self._asking(f"quote of {symbol}", Priority.EXITS, weight=2):
            if self.id in _RAW_BINANCE:
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
            if self.id not in _RAW_BINANCE:
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

    def _market_id(self, symbol: str) -> str:
        if symbol not in self.instruments():
            raise Rejected(f"{self.id} has no spot symbol {symbol}", code="-1121")
        return self._ids[symbol]

    def _load(self) -> None:
        with self._asking("symbols", Priority.PRICES, weight=20, timeout_ms=_TIMEOUT_MS):
            found = self._binance_listings() if self.id in _RAW_BINANCE else self._ccxt_listings()
            if not found:
                raise ValueError("no spot symbols")
        self._instruments = {instrument.symbol: instrument for _, instrument in found}
        self._ids = {instrument.symbol: market_id for market_id, instrument in found}

    def _binance_listings(self) -> list[tuple[str, Instrument]]:
        query = {} if self.id == "binanceus" else {"showPermissionSets": "false"}  # half of the answer
        found = []
        info = self._ccxt.publicGetExchangeInfo(query)
        self._access.limits = limits_of_binance(info.get("rateLimits", ())) or self._access.limits
        for listing in _list(info["symbols"]):
            if not listing["isSpotTradingAllowed"]:
                continue
            base, quote = (self._ccxt.safe_currency_code(listing[name]) for name in ("baseAsset", "quoteAsset"))
            try:
                found.append((listing["symbol"], from_binance(listing, f"{base}/{quote}", base, quote)))
            except _UNREADABLE as error:
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
        """Around one read: leave to make it, its shorter timeout, every error as one of ours, and how it went.

        ``subject`` is what fails on its own, when it does: a symbol in trouble fails in all its timeframes.
        """
        ticket = self._access.admit(priority, Cost(weight))
        self._ccxt.timeout, self._ccxt.last_response_headers = timeout_ms or _READ_TIMEOUT_MS, None
        failure: ExchangeError | None = None
        try:
            yield
        except ccxt.BaseError as error:
            failure = self._translated(what, error)
        except OSError as error:  # what requests raises and ccxt lets through
            failure = Transient(f"{self.id}: {what}: {type(error).__name__}")
        except _UNREADABLE as error:
            failure = Transient(f"{self.id}: {what}: unreadable answer ({redacted(repr(error))})")
        finally:
            self._ccxt.timeout = _TIMEOUT_MS
        if failure is None or isinstance(failure, Rejected):
            self._access.answered(ticket, _number_in(self._headers(), "x-mbx-used-weight-1m"))
        if failure is not None:
            self._access.failed(ticket, subject or what, failure)
            raise failure from None

    def _translated(self, what: str, error: Exception) -> ExchangeError:
        text = redacted(f"{self.id}: {what}: {type(error).__name__}: {error}")
        says, code = what_it_says(str(error), isinstance(error, _REFUSALS), isinstance(error, _TOO_MANY))
        if says is Says.NO:
            return Rejected(text, code=code)
        if says is Says.LATER:
            return Transient(text)
        self._reload_at_s = 0.0  # perhaps the limits are not what they were
        named_s = banned_for_s(str(error), _WALL_TIME.now().wall_ms)
        banned = named_s is not None or (isinstance(error, ccxt.DDoSProtection) and " 418 " in str(error))
        told_s = _number_in(self._headers(), "retry-after")
        waits_s = [wait_s for wait_s in (named_s, told_s) if wait_s is not None]  # our clock may be off: the longer one
        unsaid_s = _BAN_S if banned else _FIREWALL_BACK_OFF_S if FIREWALL in str(error) else _BACK_OFF_S
        return Transient(text, retry_after_s=max(1, *waits_s) if waits_s else unsaid_s, banned=banned)

    def _headers(self) -> dict[str, str]:
        return {str(name).lower(): str(value) for name, value in (self._ccxt.last_response_headers or {}).items()}


def _connection(exchange_id: str, base_url: str | None) -> Any:
    if exchange_id == SIMULATED and base_url:
        exchange_id = "binance"
    if exchange_id not in ccxt.exchanges:
        raise ValueError(f"unknown exchange {exchange_id!r}: ccxt does not have it")
    connection = getattr(ccxt, exchange_id)({"enableRateLimit": base_url is None, "timeout": _TIMEOUT_MS})
    limit_whole_answers(connection.session)
    connection.enableLastHttpResponse = connection.enableLastJsonResponse = False  # megabytes, kept for nobody
    options = connection.options
    options["maxRetriesOnFailure"] = 0  # retrying is decided above, where it is known what is being sent
    options["fetchMargins"] = False
    kinds = options.get("fetchMarkets")
    if isinstance(kinds, dict) and isinstance(kinds.get("types"), list):
        kinds["types"] = ["spot"]
    if exchange_id in _RAW_BINANCE:
        connection.has["fetchCurrencies"] = False
    if base_url:
        connection.urls["api"] = {
            name: base_url.rstrip("/") + urlsplit(url).path for name, url in connection.urls["api"].items()
        }
    return connection


def _number_in(headers: dict[str, str], name: str) -> int | None:
    text = headers.get(name, "")
    return int(text) if text.isdecimal() else None


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
