"""Orders and balances of one account at Binance or its simulation, by way of ccxt's raw endpoints.

Only the raw endpoints say what happened to an order: ccxt's own classes of errors put refusals and accidents together,
and its unified calls would make an order of any answer.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from market.binance_orders import Row, balances, key_rights, new_order, venue_order, venue_trade
from market.ccxt_connection import RAW_BINANCE, TIMEOUT_MS, Asked, Connection
from market.ccxt_exchange import CcxtExchange
from market.exchange import Balance, ExchangeError, KeyRights, OutcomeUnknown, Rejected, Transient, Withheld
from market.exchange_clock import EXACT_ENOUGH_MS, measure
from market.order_errors import OUT_OF_STEP, Outcome, outcome
from market.orders import Fill, OrderRequest, Side, VenueOrder, VenueTrade
from market.rate_limits import Cost, Priority

log = structlog.get_logger()

_MOST_ROWS = 1000  # in one answer
LET_GO_WITHIN_S = 5.0
"""So long after its sending began an order may still be signed and let go: whoever proves later that it never arrived
counts from the beginning, and symbols that are asked for anew, or a process that is stopped, may take long."""

_CLOCK_DEADLINE_S = 3.0  # for comparing the clocks again


class CcxtOrderDesk:
    """The order desk (``market.exchange.OrderDesk``) of the account that ``key`` and ``secret`` belong to.

    It shares the symbols and the budget of ``exchange``; ``account`` is whose order limits it counts against. An order
    and a cancel wait ``order_timeout_ms`` for their answer. Raises ValueError for an exchange that it does not know how
    to trade on.
    """

    def __init__(
        self, exchange: CcxtExchange, key: str, secret: str, account: str, order_timeout_ms: int = TIMEOUT_MS
    ) -> None:
        if exchange.id not in RAW_BINANCE:
            raise ValueError(f"live orders are available at {', '.join(RAW_BINANCE)} only, not at {exchange.id}")
        self._exchange = exchange
        shared = exchange.connection
        self._connection = Connection(exchange.id, shared.base_url, shared.access, (key, secret))
        self._ccxt = self._connection.ccxt
        self._currency = self._ccxt.safe_currency_code
        self._account = account
        self._order_timeout_ms = order_timeout_ms

    def place(self, request: OrderRequest) -> VenueOrder:
        """Send one order, once. Raises Withheld, Rejected or OutcomeUnknown."""
        began_s = time.monotonic()
        what, buys = f"order {request.client_order_id}", request.side is Side.BUY
        query = self._unsent(request)
        priority, cost = Priority.ENTRIES if buys else Priority.EXITS, Cost(1, orders=1, account=self._account)
        asked = Asked()
        try:
            with self._asking(what, cost, priority, f"orders of {request.symbol}", self._order_timeout_ms) as asked:
                if time.monotonic() - began_s > LET_GO_WITHIN_S:
                    raise Withheld(f"{what}: it took too long to let it go", 1.0)
                row = self._ccxt.privatePostOrder(query)
                return venue_order(row, request.symbol, self._currency, request.client_order_id)
        except Withheld:
            raise
        except ExchangeError as error:
            if outcome(asked.answer) is Outcome.REJECTED:
                raise Rejected(str(error), code=asked.answer.code) from None
            raise OutcomeUnknown(str(error)) from None
        except Exception as error:  # a time limit that strikes meanwhile, a bug: the order may be there all the same
            raise OutcomeUnknown(f"{what}: {type(error).__name__}") from None

    def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """End an open order; None when the exchange has no such order open (it may have ended by itself)."""
        query = {"symbol": self._exchange.market_id(symbol), "origClientOrderId": client_order_id}
        try:
            with self._asking(f"cancel {client_order_id}", Cost(1), timeout_ms=self._order_timeout_ms):
                row = self._ccxt.privateDeleteOrder(query)
                return venue_order(row, symbol, self._currency, client_order_id)
        except Rejected as error:
            if error.code == "-2011":
                return None
            raise

    def find(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        """The newest order of that name."""
        query = {"symbol": self._exchange.market_id(symbol), "origClientOrderId": client_order_id}
        try:
            with self._asking(f"what became of {client_order_id}", Cost(4)):
                return venue_order(self._ccxt.privateGetOrder(query), symbol, self._currency, client_order_id)
        except Rejected as error:
            if error.code == "-2013":
                return None
            raise

    def fills(self, symbol: str, exchange_order_id: str) -> tuple[Fill, ...]:
        """The trades of one order that the exchange tells of by now, oldest first."""
        query = {"orderId": exchange_order_id}
        trades = page = self._trades(symbol, query, weight=5)
        while len(page) == _MOST_ROWS:
            page = self._trades(symbol, query | {"fromId": str(int(page[-1].fill.trade_id) + 1)}, weight=5)
            trades = trades + page
        return tuple(trade.fill for trade in trades if trade.exchange_order_id == exchange_order_id)

    def open_orders(self) -> list[VenueOrder]:
        """Every order of the account that is open now, of all symbols. A symbol that is not listed (any more) goes by
        the exchange's own name."""
        self._exchange.instruments()
        with self._asking("open orders", Cost(80)):
            rows = _rows(self._ccxt.privateGetOpenOrders({}))
            return [venue_order(row, self._exchange.symbol(row["symbol"]), self._currency) for row in rows]

    def latest_orders(self, symbol: str) -> list[VenueOrder]:
        """The latest orders of a symbol, open or not, at most 1,000, oldest first."""
        query = {"symbol": self._exchange.market_id(symbol), "limit": _MOST_ROWS}
        with self._asking(f"latest orders of {symbol}", Cost(20)):
            found = [venue_order(row, symbol, self._currency) for row in _rows(self._ccxt.privateGetAllOrders(query))]
            return sorted(found, key=lambda order: int(order.exchange_order_id))

    def latest_trades(self, symbol: str) -> list[VenueTrade]:
        """The latest trades of a symbol, at most 1,000, oldest first."""
        return self._trades(symbol, {}, weight=20)

    def balances(self) -> dict[str, Balance]:
        """Every asset that the account has any of."""
        query = {} if self._exchange.id == "binanceus" else {"omitZeroBalances": "true"}
        with self._asking("balances", Cost(20)):
            return balances(_rows(self._ccxt.privateGetAccount(query)["balances"]), self._currency)

    def key_rights(self) -> KeyRights:
        """What the key may do. Binance.US does not tell."""
        if self._exchange.id == "binanceus":
            return KeyRights(None, None, None, None)
        with self._asking("what the key may do", Cost(1)):
            return key_rights(self._ccxt.sapiGetAccountApiRestrictions())

    def wall_ms(self) -> int:
        """The exchange's own clock, UTC milliseconds of wall time."""
        return self.fetch_time()

    def fetch_time(self) -> int:
        """The same, as urgent as an exit: it may be what one waits for."""
        with self._connection.asking("the exchange's clock", Priority.EXITS, Cost(1)):
            return int(self._ccxt.publicGetTime()["serverTime"])

    def forget_rules(self) -> None:
        """What it allows for its symbols has changed: ask anew at the next use."""
        self._exchange.forget_rules()

    def _unsent(self, request: OrderRequest) -> dict[str, str]:
        """What to send; whatever keeps us from knowing it, nothing was sent. Raises Withheld or Rejected."""
        try:
            return new_order(request, self._exchange.market_id(request.symbol))
        except Withheld:
            raise
        except Transient as error:
            raise Withheld(str(error), error.retry_after_s or 1.0) from None
        except ValueError as error:
            raise Rejected(str(error)) from None

    def _trades(self, symbol: str, query: dict[str, str], weight: int) -> list[VenueTrade]:
        query = {"symbol": self._exchange.market_id(symbol), "limit": str(_MOST_ROWS)} | query
        with self._asking(f"trades of {symbol}", Cost(weight)):
            found = [venue_trade(row, self._currency) for row in _rows(self._ccxt.privateGetMyTrades(query))]
            return sorted(found, key=lambda trade: int(trade.fill.trade_id))

    @contextmanager
    def _asking(
        self,
        what: str,
        cost: Cost,
        priority: Priority = Priority.EXITS,
        subject: str = "",
        timeout_ms: int | None = None,
    ) -> Iterator[Asked]:
        """Around one signed request. When the exchange finds that our clock is off, the clocks are compared at once:
        the request failed, the next one need not."""
        asked, began_s, failed = Asked(), time.monotonic(), ""
        try:
            with self._connection.asking(what, priority, cost, subject, timeout_ms) as asked:
                yield asked
        except ExchangeError as error:
            failed = str(error)
            if isinstance(error, Transient) and error.retry_after_s > 0:
                self._exchange.forget_rules()  # perhaps the limits are not what they were
            if asked.answer.code == OUT_OF_STEP:
                self._compare_clocks()
            raise
        finally:
            # An order or a cancel has a timeout of its own. Questions are asked all day long.
            say = log.info if timeout_ms is not None else log.debug
            ms = round((time.monotonic() - began_s) * 1000)
            say("exchange_answer", to=what, status=asked.status, code=asked.answer.code, error=failed, ms=ms)

    def _compare_clocks(self) -> None:
        try:
            offset = measure(self, time.monotonic() + _CLOCK_DEADLINE_S)
        except ExchangeError as error:
            log.warning("clocks_not_compared", error=str(error))
            return
        if offset.within_ms <= EXACT_ENOUGH_MS:
            self._connection.access.set_offset(offset.ahead_ms)
        log.warning("clocks_compared", ahead_ms=offset.ahead_ms, within_ms=offset.within_ms)


def _rows(answer: object) -> list[Row]:
    """The answer, when it is a list: a proxy's page arrives as text, and text has items too."""
    if not isinstance(answer, list):
        raise TypeError(f"not a list but {type(answer).__name__}")
    return answer
