"""PaperTrader: the exchange's live prices, our own fills."""

from collections.abc import Callable, Mapping

from execution.executors import BaseExecutor
from execution.fills import CostModel, draw, market_fill
from market.clock import Now
from market.exchange import ExchangeError, Quote
from market.instruments import Instrument
from market.orders import OrderReport, OrderRequest, ReportStatus, Side


class PaperTrader(BaseExecutor):
    """Fills market orders at once at the best live price, with the cost model's slippage, fee and latency.

    It has no memory: a paper order exists when its fill is recorded. One that was being sent when the process died
    was therefore never executed, and saying so needs no proof.
    """

    fills_at_quotes = True

    def __init__(
        self,
        quote: Callable[[str], Quote],
        instruments: Callable[[], Mapping[str, Instrument]],
        costs: CostModel | None = None,
    ) -> None:
        self._quote = quote
        self._instruments = instruments
        self._costs = costs or CostModel()

    def submit(self, request: OrderRequest, now: Now) -> OrderReport:
        try:
            instrument = self._instruments().get(request.symbol)
            if instrument is None:
                return _rejected(request, f"unknown symbol {request.symbol}")
            quote = self._quote(request.symbol)
        except ExchangeError as error:
            return _rejected(request, f"no price to fill at: {error}")
        best = quote.ask if request.side is Side.BUY else quote.bid
        refusal = instrument.why_not(request.amount, best)
        if refusal:
            return _rejected(request, refusal)
        fill = market_fill(request, best, draw(self._costs, request.client_order_id), instrument, now.market_at)
        if request.side is Side.BUY and request.worst_price is not None and fill.price > request.worst_price:
            return _rejected(request, f"the price has moved to {fill.price}, above the {request.worst_price} reserved")
        return OrderReport(
            client_order_id=request.client_order_id,
            status=ReportStatus.FILLED,
            exchange_order_id=f"paper-{request.client_order_id}",
            fills=(fill,),
        )

    def query(self, request: OrderRequest, sent: Now, now: Now) -> OrderReport:
        return OrderReport(request.client_order_id, ReportStatus.ABSENT, reason="never executed on paper")

    def cancel(self, request: OrderRequest, now: Now) -> OrderReport:
        return OrderReport(request.client_order_id, ReportStatus.CANCELED)


def _rejected(request: OrderRequest, reason: str) -> OrderReport:
    return OrderReport(request.client_order_id, ReportStatus.REJECTED, reason=reason)
