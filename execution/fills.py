"""What an order costs: the one model of slippage, fees and latency, for paper trading and backtests. PURE.

The costs of an order are a function of its client order id alone: the same order costs the same on every machine and
in every rerun, and asking twice changes nothing.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_CEILING, Decimal, localcontext
from hashlib import sha256

from market.instruments import Instrument
from market.money import ROUNDED, exact
from market.orders import Fill, OrderRequest, OrderType, Side

SLIPPAGE_STEP = Decimal("0.001")
"""Grid of the slippage, in basis points: few enough decimals that prices stay exact."""

FEE_RATE_STEP = Decimal("1e-8")
"""Grid of the fee rate (a fraction of the notional)."""

FEE_STEP = Decimal("1e-12")
"""Grid of a fee in quote."""

BASIS_POINT = Decimal("0.0001")

IN_BASE = "base"
"""The fee currency that is whatever a symbol trades."""


@dataclass(frozen=True, slots=True)
class CostModel:
    """The ranges that costs are drawn from, both ends included. Raises ValueError naming the pair that makes no sense.

    Slippage in basis points of the best price, fee rates as fractions of the notional, latency in milliseconds.
    ``depth_notional`` is the most that one look at the market fills, in quote (None: the book is deep enough).
    ``fee_currency`` is what fees are taken in: None for quote, IN_BASE, or a third asset such as BNB.
    """

    slippage_bp_min: Decimal = Decimal(2)
    slippage_bp_max: Decimal = Decimal(10)
    fee_rate_min: Decimal = Decimal("0.0001")
    fee_rate_max: Decimal = Decimal("0.0002")
    latency_ms_min: int = 1
    latency_ms_max: int = 5
    depth_notional: Decimal | None = None
    fee_currency: str | None = None

    def __post_init__(self) -> None:
        _require_range("slippage_bp", self.slippage_bp_min, self.slippage_bp_max, Decimal(1000))
        _require_range("fee_rate", self.fee_rate_min, self.fee_rate_max, Decimal("0.1"))
        _require_range("latency_ms", Decimal(self.latency_ms_min), Decimal(self.latency_ms_max), Decimal(60_000))
        if self.depth_notional is not None and not (self.depth_notional.is_finite() and self.depth_notional > 0):
            raise ValueError(f"depth_notional must be positive and finite, not {self.depth_notional}")


@dataclass(frozen=True, slots=True)
class Costs:
    """What one order pays: basis points of price, a fraction of notional, milliseconds of market time."""

    slippage_bp: Decimal
    fee_rate: Decimal
    latency_ms: int


@dataclass(frozen=True, slots=True)
class FeeAsset:
    """What a fee is taken in. ``price``: of one unit in quote, where it is a third asset; None for base and quote."""

    currency: str
    price: Decimal | None = None


def draw(model: CostModel, client_order_id: str) -> Costs:
    """Costs uniform on the model's grid, drawn from the SHA-256 of the client order id (64 bits for each figure)."""
    digest = sha256(client_order_id.encode()).digest()
    return Costs(
        slippage_bp=_pick(digest[0:8], model.slippage_bp_min, model.slippage_bp_max, SLIPPAGE_STEP),
        fee_rate=_pick(digest[8:16], model.fee_rate_min, model.fee_rate_max, FEE_RATE_STEP),
        latency_ms=int(_pick(digest[16:24], Decimal(model.latency_ms_min), Decimal(model.latency_ms_max), Decimal(1))),
    )


def worst_price(best_price: Decimal, model: CostModel | None = None) -> Decimal:
    """The most that a market buy at this best price may pay for a unit, before rounding to the tick."""
    with exact():
        return best_price * (1 + (model or CostModel()).slippage_bp_max * BASIS_POINT)


def market_fill(request: OrderRequest, best_price: Decimal, costs: Costs, instrument: Instrument, at: datetime) -> Fill:
    """The one fill of a market order of any size: the book is taken to be deep enough.

    A buy pays best x (1 + slippage) rounded up to the tick, a sell gets best x (1 - slippage) rounded down, one tick at
    least: rounding never flatters a simulation. The fee is in quote, price x amount x rate rounded up to 12 decimals.
    ``at`` is when the order was sent; it executes ``latency_ms`` later. Raises ValueError for anything but a market
    order, for a price or amount that is not positive and finite, and for a naive ``at``.
    """
    _require_fillable(request, best_price, at)
    price = slipped(request.side, best_price, costs.slippage_bp, instrument)
    return fill_at(request, price, request.amount, costs, FeeAsset(instrument.quote), at)


def fill_at(
    request: OrderRequest,
    price: Decimal,
    amount: Decimal,
    costs: Costs,
    fee_in: FeeAsset,
    at: datetime,
    number: int = 1,
) -> Fill:
    """The ``number``-th fill of an order, of so much base at a price, ``latency_ms`` after ``at``.

    Its fee is the rate x what it is taken from, rounded up to 12 decimals.
    """
    base = request.symbol.partition("/")[0]
    with exact():
        fee = (amount if fee_in.currency == base else price * amount) * costs.fee_rate
    with localcontext(ROUNDED):
        fee = (fee if fee_in.price is None else fee / fee_in.price).quantize(FEE_STEP, rounding=ROUND_CEILING)
    return Fill(
        trade_id=f"{request.client_order_id}.{number}",
        price=price,
        amount=amount,
        fee=fee,
        fee_currency=fee_in.currency,
        executed_at=at + timedelta(milliseconds=costs.latency_ms),
        fee_rate=fee_in.price,
    )


def slipped(side: Side, best_price: Decimal, slippage_bp: Decimal, instrument: Instrument) -> Decimal:
    """What an order that takes pays or gets for a unit, on the tick, rounded against it; one tick at least."""
    with exact():
        slip = best_price * slippage_bp * BASIS_POINT
        target = best_price + slip if side is Side.BUY else best_price - slip
    if side is Side.BUY:
        return instrument.round_price_up(target)
    return max(instrument.round_price_down(target), instrument.tick_size)


def _pick(bits: bytes, low: Decimal, high: Decimal, step: Decimal) -> Decimal:
    """One of low, low + step, ... up to high, each as likely (to 1 in 2^64 / count)."""
    with exact():
        count = int((high - low) // step) + 1
        return low + step * (int.from_bytes(bits, "big") * count >> 64)


def _require_fillable(request: OrderRequest, best_price: Decimal, at: datetime) -> None:
    if request.type is not OrderType.MARKET:
        raise ValueError(f"{request.client_order_id}: a {request.type} order does not fill at the market")
    for name, value in (("price", best_price), ("amount", request.amount)):
        if not value.is_finite() or value <= 0:
            raise ValueError(f"{request.client_order_id}: the {name} must be positive and finite, not {value}")
    if at.tzinfo is None:
        raise ValueError(f"{request.client_order_id}: the time {at} has no time zone")


def _require_range(name: str, low: Decimal, high: Decimal, ceiling: Decimal) -> None:
    if not (low.is_finite() and high.is_finite() and 0 <= low <= high <= ceiling):
        raise ValueError(f"{name}: need 0 <= min <= max <= {ceiling}, not {low} and {high}")
