"""LiveTrader: real orders at an exchange, and what they have come to."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

import structlog

from execution.executors import BaseExecutor
from market.clock import Now
from market.exchange import ExchangeError, OrderDesk, OutcomeUnknown, Quote, Rejected, Transient
from market.money import exact, exact_sum, ratio
from market.order_errors import FILTERS_CHANGED
from market.orders import Fill, OrderReport, OrderRequest, ReportStatus, VenueOrder, VenueTrade

log = structlog.get_logger()

T = TypeVar("T")

ENDED = frozenset({ReportStatus.FILLED, ReportStatus.CANCELED, ReportStatus.EXPIRED, ReportStatus.REJECTED})
"""Statuses after which nothing more happens to an order."""

MAY_ARRIVE_FOR_MS = 30_000
"""Wall time after which an order that was sent can no longer be accepted: it is signed for 5 s, the matching engine may
take 10 s over it, and as much again for whatever lies between."""

USUAL_FEE = Decimal("0.001")
"""What a fee is taken to have cost, as a fraction of the notional, where its currency has no price."""

_MARGIN = timedelta(hours=1)  # of market time, by which the listings have to reach back before the order was sent
_MOST_ROWS = 1000  # that an exchange lists
_PAUSE_S = 1.0


class LiveTrader(BaseExecutor):
    """Sends orders to one account's desk.

    ``quote`` tells the price of ``BNB/USDT`` and the like, for fees in a third currency. ``may_arrive_for_ms`` is
    how long absence cannot be proven, ``pause_s`` the wall seconds between two questions about an order not found.
    """

    holds_stops = True

    def __init__(
        self,
        desk: OrderDesk,
        quote: Callable[[str], Quote],
        may_arrive_for_ms: int = MAY_ARRIVE_FOR_MS,
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._desk = desk
        self._quote = quote
        self._may_arrive_for_ms = may_arrive_for_ms
        self._pause_s = pause_s

    def submit(self, request: OrderRequest, now: Now) -> OrderReport:
        try:
            order = self._desk.place(request)
        except Rejected as error:
            if error.code in FILTERS_CHANGED:
                self._desk.forget_rules()
            return _rejected(request, str(error), error.code)
        try:
            return self._report(order)
        except Transient as error:
            raise OutcomeUnknown(f"accepted as {order.exchange_order_id}, but {error}") from None

    def query(self, request: OrderRequest, sent: Now, now: Now) -> OrderReport:
        found = self._find(request)
        if found is not None:
            return self._report(found)
        self._require_time_to_arrive(sent, now)
        time.sleep(self._pause_s)
        found = self._find(request) or self._listed(request, sent)
        if found is not None:
            return self._report(found)
        evidence = (
            f"not found twice, and in no listing, more than {self._may_arrive_for_ms / 1000:g} s after it was sent"
        )
        return OrderReport(request.client_order_id, ReportStatus.ABSENT, reason=evidence)

    def cancel(self, request: OrderRequest, now: Now) -> OrderReport:
        order = self._asked(lambda: self._desk.cancel(request.symbol, request.client_order_id)) or self._find(request)
        if order is None:
            raise Transient(f"{request.client_order_id} is neither open nor found, which proves nothing")
        if order.status not in ENDED:
            raise Transient(f"{request.client_order_id} could not be ended: it is {order.status}")
        return self._report(order)

    def _find(self, request: OrderRequest) -> VenueOrder | None:
        return self._asked(lambda: self._desk.find(request.symbol, request.client_order_id))

    def _require_time_to_arrive(self, sent: Now, now: Now) -> None:
        """By both clocks: a request that was signed with a clock ahead of ours is good for longer by ours, and one that
        was signed with ours, when it was wrong, by the exchange's."""
        elapsed_ms = min(self._asked(self._desk.wall_ms), now.wall_ms) - sent.wall_ms
        if elapsed_ms < self._may_arrive_for_ms:
            raise Transient(f"not found {elapsed_ms / 1000:g} s after it was sent: absence is not proven yet")

    def _listed(self, request: OrderRequest, sent: Now) -> VenueOrder | None:
        """The order out of the listings; None when they prove that it is in none. Raises Transient when they do not.

        Trades are asked for first: whatever they belong to then has to be among the orders.
        """
        trades = self._asked(lambda: self._desk.latest_trades(request.symbol))
        orders = self._asked(lambda: self._desk.latest_orders(request.symbol))
        ours = [order for order in orders if order.client_order_id == request.client_order_id]
        if ours:
            return ours[-1]
        since = sent.market_at - _MARGIN
        _require_reach([order.placed_at for order in orders], since, "orders")
        _require_reach([trade.fill.executed_at for trade in trades], since, "trades")
        strange = _strange(trades, orders, since)
        if strange is not None:
            raise Transient(f"absence is not proven: trade {strange.fill.trade_id} belongs to no order that is listed")
        return None

    def _report(self, order: VenueOrder) -> OrderReport:
        """Raises Transient while not all of its fills are known."""
        return OrderReport(
            client_order_id=order.client_order_id,
            status=order.status,
            exchange_order_id=order.exchange_order_id,
            fills=self._rated(order.symbol, self._all_fills(order)),
        )

    def _all_fills(self, order: VenueOrder) -> tuple[Fill, ...]:
        fills = order.fills
        if _total(fills) != order.filled:
            fills = self._asked(lambda: self._desk.fills(order.symbol, order.exchange_order_id))
        known = _total(fills)
        # One that still works may have been filled further in between.
        if known < order.filled or (known > order.filled and order.status in ENDED):
            raise Transient(f"of the {order.filled} filled, trades of {known} are known")
        return fills

    def _rated(self, symbol: str, fills: Sequence[Fill]) -> tuple[Fill, ...]:
        """With the price of the fee's currency wherever that is a third one."""
        base, _, quote = symbol.partition("/")
        third = {fill.fee_currency for fill in fills if fill.fee} - {base, quote}
        rates = {currency: self._rate(f"{currency}/{quote}") for currency in third}
        return tuple(_rate_of(fill, rates) if fill.fee_currency in third else fill for fill in fills)

    def _rate(self, symbol: str) -> Decimal | None:
        """None where the fee's currency has no price now: what was bought must not wait for it without a stop."""
        try:
            return self._quote(symbol).last
        except ExchangeError as error:
            log.warning("fee_priced_by_the_usual_rate", symbol=symbol, error=str(error))
            return None

    @staticmethod
    def _asked(ask: Callable[[], T]) -> T:
        """A question that is refused (a revoked key, a symbol not listed any more) has no answer either."""
        try:
            return ask()
        except Transient:
            raise
        except ExchangeError as error:
            raise Transient(f"no answer: {error}") from None


def _rate_of(fill: Fill, rates: Mapping[str, Decimal | None]) -> Fill:
    rate = rates[fill.fee_currency]
    if rate is None:
        with exact():
            cost = fill.price * fill.amount * USUAL_FEE
        rate = ratio(cost, fill.fee)
    return replace(fill, fee_rate=rate)


def _strange(trades: Sequence[VenueTrade], orders: Sequence[VenueOrder], since: datetime) -> VenueTrade | None:
    """A trade since then that belongs to none of the orders."""
    known = {order.exchange_order_id for order in orders}
    late = (trade for trade in trades if trade.fill.executed_at >= since)
    return next((trade for trade in late if trade.exchange_order_id not in known), None)


def _require_reach(times: Sequence[datetime | None], since: datetime, what: str) -> None:
    """A listing is complete, or begins before ``since``. Raises Transient."""
    if len(times) >= _MOST_ROWS and (times[0] is None or times[0] >= since):
        raise Transient(f"absence is not proven: the latest {_MOST_ROWS} {what} do not reach back to when it was sent")


def _total(fills: Sequence[Fill]) -> Decimal:
    return exact_sum(fill.amount for fill in fills)


def _rejected(request: OrderRequest, reason: str, code: str = "") -> OrderReport:
    return OrderReport(request.client_order_id, ReportStatus.REJECTED, reason=reason, code=code)
