"""PaperTrader: the exchange's live prices, our own fills, and a book that remembers them."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal

from execution.executors import BaseExecutor
from execution.fills import IN_BASE, CostModel, FeeAsset, draw
from execution.matching import Look, PaperState, arrive, meet, needs
from execution.paper_book import PaperBook
from market.clock import Now
from market.exchange import ExchangeError, Quote, Transient
from market.instruments import Instrument
from market.orders import OrderReport, OrderRequest, ReportStatus

_TRIES = 5

Free = Callable[[str], Decimal | None]
"""How much of an asset is free; None when nobody counts."""


class PaperTrader(BaseExecutor):
    """Fills market orders at once at the best live price, with the cost model's slippage, fee and latency.

    Orders with a limit or a stop rest in the book, and meet the market whenever somebody asks about them. Until then
    nothing closes a position, which is why it does not count as holding stops.

    An order that is not in the book was never sent, and saying so needs no proof: the name is then crossed out, so that
    it can never be used by a process that was only slow.
    """

    fills_at_quotes = True

    def __init__(
        self,
        book: PaperBook,
        quote: Callable[[str], Quote],
        instruments: Callable[[], Mapping[str, Instrument]],
        costs: CostModel | None = None,
        funds: Free | None = None,
    ) -> None:
        self._book = book
        self._quote = quote
        self._instruments = instruments
        self._costs = costs or CostModel()
        self._funds = funds

    def submit(self, request: OrderRequest, now: Now) -> OrderReport:
        known = self._book.find(request.client_order_id)
        order = known or self._book.take_in(self._new(request, now), now)
        return order.report()

    def query(self, request: OrderRequest, sent: Now, now: Now) -> OrderReport:
        order = self._book.find(request.client_order_id)
        if order is None:
            never = PaperState(request, ReportStatus.ABSENT, reason="never sent to the paper book")
            order = self._book.take_in(never, now)
        return self._worked(order, now).report()

    def cancel(self, request: OrderRequest, now: Now) -> OrderReport:
        order = self._book.find(request.client_order_id)
        if order is None:
            raise Transient(f"no order {request.client_order_id} in the paper book")
        order = self._worked(order, now)
        for _ in range(_TRIES):  # somebody else may fill a part of it in between
            if not order.is_open:
                break
            order = self._book.move(order, replace(order, status=ReportStatus.CANCELED))
        if order.is_open:
            raise Transient(f"{request.client_order_id} was changed by others {_TRIES} times while it was being ended")
        return order.report()

    def _new(self, request: OrderRequest, now: Now) -> PaperState:
        order = PaperState(request)
        try:
            look = self._look(request, now)
        except ExchangeError as error:
            return order.refused(f"no price to fill at: {error}")
        if look is None:
            return order.refused(f"unknown symbol {request.symbol}")
        order = arrive(request, look)
        if order.status is ReportStatus.REJECTED:
            return order
        asset, needed = needs(order)
        free = self._funds(asset) if self._funds else None
        if free is not None and needed > free:
            return order.refused(f"insufficient balance: {needed} {asset} needed, {free} free")
        return order

    def _worked(self, order: PaperState, now: Now) -> PaperState:
        """The order after a look at the market. Where there is no price, nothing happens to it."""
        if not order.is_open:
            return order
        try:
            look = self._look(order.request, now)
        except ExchangeError:
            return order
        met = meet(order, look) if look else order
        return order if met == order else self._book.move(order, met)

    def _look(self, request: OrderRequest, now: Now) -> Look | None:
        """What the market shows; None for a symbol that is not listed. Raises ExchangeError without a price."""
        instruments = self._instruments()
        instrument = instruments.get(request.symbol)
        if instrument is None:
            return None
        return Look(
            quote=self._quote(request.symbol),
            instrument=instrument,
            costs=draw(self._costs, request.client_order_id),
            fee_in=self._fee_asset(instrument, instruments),
            at=now.market_at,
            depth_notional=self._costs.depth_notional,
        )

    def _fee_asset(self, instrument: Instrument, listed: Mapping[str, Instrument]) -> FeeAsset:
        """What the cost model wants fees in; quote where a third asset has no price in it."""
        wanted = self._costs.fee_currency
        if wanted in (IN_BASE, instrument.base):
            return FeeAsset(instrument.base)
        market = f"{wanted}/{instrument.quote}"
        if wanted in (None, instrument.quote) or market not in listed:
            return FeeAsset(instrument.quote)
        return FeeAsset(wanted, self._quote(market).last)
