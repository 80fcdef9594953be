"""What happens to an order on paper when somebody looks at the market. PURE.

An order that takes (at the market, or at a limit that the market is beyond when the order begins to work) pays the best
price and the slippage drawn for it, but never worse than its limit. One that rests fills at its limit, as a maker. A
stop waits until the last price is seen at it or beyond; what the price did while nobody looked is not known.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, localcontext

from execution.fills import Costs, FeeAsset, fill_at, slipped
from execution.states import OPEN_REPORT
from market.exchange import Quote
from market.instruments import Instrument
from market.money import ROUNDED, ZERO, exact, exact_sum
from market.orders import Fill, OrderReport, OrderRequest, OrderType, ReportStatus, Side


@dataclass(frozen=True, slots=True)
class PaperState:
    """An order in the paper book. ``triggered``: its stop price was seen. ``reason``: why it was refused or ended."""

    request: OrderRequest
    status: ReportStatus = ReportStatus.NEW
    triggered: bool = False
    fills: tuple[Fill, ...] = ()
    reason: str = ""

    @property
    def is_open(self) -> bool:
        return self.status in OPEN_REPORT

    @property
    def filled(self) -> Decimal:
        return exact_sum(fill.amount for fill in self.fills)

    @property
    def rest(self) -> Decimal:
        with exact():
            return self.request.amount - self.filled

    def refused(self, reason: str) -> "PaperState":
        return replace(self, status=ReportStatus.REJECTED, fills=(), reason=reason)

    def report(self) -> OrderReport:
        name = self.request.client_order_id
        never_was = self.status in (ReportStatus.REJECTED, ReportStatus.ABSENT)
        return OrderReport(name, self.status, "" if never_was else f"paper-{name}", self.fills, self.reason)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the market, at a moment of market time, and what trading in it costs this order.

    ``depth_notional`` is the most that the look fills, in quote; None for no such bound.
    """

    quote: Quote
    instrument: Instrument
    costs: Costs
    fee_in: FeeAsset
    at: datetime
    depth_notional: Decimal | None = None

    def best(self, side: Side) -> Decimal:
        return self.quote.ask if side is Side.BUY else self.quote.bid


def arrive(request: OrderRequest, look: Look) -> PaperState:
    """What comes of a new order: filled, resting, waiting for its stop, expired (what the market had no depth for) or
    rejected."""
    order = PaperState(request)
    refusal = _why_not(request, look)
    if refusal:
        return order.refused(refusal)
    if request.type is OrderType.MARKET:
        return _at_market(order, look)
    if request.type is OrderType.STOP_LOSS_LIMIT:
        return order.refused("the stop would trigger immediately") if _stop_seen(request, look.quote) else order
    return _at_limit(order, look, takes=True)


def meet(order: PaperState, look: Look) -> PaperState:
    """What comes of an open order at a later look. The same order where nothing does."""
    if not order.is_open or not look.instrument.active:
        return order
    if order.request.type is not OrderType.STOP_LOSS_LIMIT or order.triggered:
        return _at_limit(order, look, takes=False)
    if not _stop_seen(order.request, look.quote):
        return order
    return _at_limit(replace(order, triggered=True), look, takes=True)


def binds(order: PaperState) -> tuple[str, Decimal]:
    """The asset that an order pays with, and how much of it what is left of the order still needs.

    Fees are not in it: they are taken when it fills.
    """
    base, _, quote = order.request.symbol.partition("/")
    rest = order.rest if order.is_open else ZERO
    if order.request.side is Side.SELL:
        return base, rest
    with exact():
        return quote, rest * (order.request.price or ZERO)


def needs(order: PaperState) -> tuple[str, Decimal]:
    """The same for an order that has just arrived, with what its fills have taken already, their fees too."""
    asset, needed = binds(order)
    with exact():
        for fill in order.fills:
            needed += fill.amount if order.request.side is Side.SELL else fill.amount * fill.price
            needed += fill.fee if fill.fee_currency == asset else ZERO
    return asset, needed


def _why_not(request: OrderRequest, look: Look) -> str | None:
    for name, price in (("price", request.price), ("stop price", request.stop_price)):
        if price is not None and (price <= 0 or price != look.instrument.round_price(price)):
            return f"{name} {price} is no positive multiple of the tick size {look.instrument.tick_size}"
    if request.type is not OrderType.MARKET and request.price is None:
        return f"a {request.type} order needs a price"
    if request.type is OrderType.STOP_LOSS_LIMIT and request.stop_price is None:
        return f"a {request.type} order needs a stop price"
    return look.instrument.why_not(request.amount, request.price or look.best(request.side))


def _stop_seen(request: OrderRequest, quote: Quote) -> bool:
    if request.stop_price is None:
        raise ValueError(f"{request.client_order_id}: a stop order without a stop price")
    return quote.last <= request.stop_price if request.side is Side.SELL else quote.last >= request.stop_price


def _at_market(order: PaperState, look: Look) -> PaperState:
    request = order.request
    price = slipped(request.side, look.best(request.side), look.costs.slippage_bp, look.instrument)
    if request.side is Side.BUY and request.worst_price is not None and price > request.worst_price:
        return order.refused(f"the price has moved to {price}, above the {request.worst_price} reserved")
    worked = _filled_at(order, price, look)
    if worked.status is ReportStatus.FILLED:
        return worked
    return replace(worked, status=ReportStatus.EXPIRED, reason="the market is not deep enough for the rest")


def _at_limit(order: PaperState, look: Look, *, takes: bool) -> PaperState:
    limit, side = order.request.price, order.request.side
    if limit is None:
        raise ValueError(f"{order.request.client_order_id}: a limit order without a price")
    best = look.best(side)
    if best > limit if side is Side.BUY else best < limit:
        return order
    if not takes:
        return _filled_at(order, limit, look)
    price = slipped(side, best, look.costs.slippage_bp, look.instrument)
    return _filled_at(order, min(price, limit) if side is Side.BUY else max(price, limit), look)


def _filled_at(order: PaperState, price: Decimal, look: Look) -> PaperState:
    """The order with one fill more: all that is left of it, or as much as there is depth for, which may be nothing."""
    rest = order.rest
    amount = rest if look.depth_notional is None else min(rest, _depth(look.depth_notional, price, look.instrument))
    if not amount:
        return order
    fill = fill_at(order.request, price, amount, look.costs, look.fee_in, look.at, len(order.fills) + 1)
    status = ReportStatus.FILLED if amount == rest else ReportStatus.PARTIAL
    return replace(order, status=status, fills=(*order.fills, fill))


def _depth(notional: Decimal, price: Decimal, instrument: Instrument) -> Decimal:
    with localcontext(ROUNDED):
        return instrument.round_amount_down(notional / price)
