"""What trading cost against what was assumed: fees and slippage. PURE.

For one fill, in quote, above 0 where it was to our disadvantage:

    slippage of a buy  = (fill's price - reference) x amount
    slippage of a sell = (reference - fill's price) x amount

and for many fills the sum of it; in basis points of what the fills would have been worth at their references:

    10,000 x sum of slippage / sum of (reference x amount)

The reference is the price that the order was decided at: of an entry the best ask when it passed the gate, of a
protective stop its stop price, of an exit the price at which the exit was decided. The sum over an order's fills is
(average price - reference) x filled.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from operator import mul

from execution.fills import BASIS_POINT, CostModel
from market.money import ZERO, exact, ratio
from market.orders import Side

TO_BP = 1 / BASIS_POINT


@dataclass(frozen=True, slots=True)
class Costs:
    """Fills taken together, amounts in quote. ``notional``: price x amount; ``reference``: reference x amount."""

    fills: int = 0
    notional: Decimal = ZERO
    reference: Decimal = ZERO
    fees: Decimal = ZERO
    slippage: Decimal = ZERO

    @property
    def fee_bp(self) -> Decimal | None:
        """Fees in basis points of the notional."""
        return _bp(self.fees, self.notional)

    @property
    def slippage_bp(self) -> Decimal | None:
        return _bp(self.slippage, self.reference)


@dataclass(frozen=True, slots=True)
class Assumed:
    """What the same fills would have cost in the middle of the cost model's ranges, in quote."""

    fees: Decimal
    slippage: Decimal


def costs_of(side: Side, figures: Sequence[Decimal]) -> Costs:
    """Fills of one side. ``figures``: of each fill its price, amount, reference, fee, and what one unit of the fee's
    currency is worth in quote (1 where it is the quote), one fill after the other. Raises ValueError when some are
    missing."""
    if len(figures) % 5:
        raise ValueError(f"{len(figures)} figures are not five of each fill")
    price, amount, reference, fee, worth = (figures[place::5] for place in range(5))
    with exact():
        notional, wanted = sum(map(mul, price, amount), ZERO), sum(map(mul, reference, amount), ZERO)
        return Costs(
            fills=len(price),
            notional=notional,
            reference=wanted,
            fees=sum(map(mul, fee, worth), ZERO),
            slippage=notional - wanted if side is Side.BUY else wanted - notional,
        )


def costs_together(found: Iterable[Costs]) -> Costs:
    """All of them as one."""
    parts = list(found)
    with exact():
        return Costs(
            fills=sum(one.fills for one in parts),
            notional=sum((one.notional for one in parts), ZERO),
            reference=sum((one.reference for one in parts), ZERO),
            fees=sum((one.fees for one in parts), ZERO),
            slippage=sum((one.slippage for one in parts), ZERO),
        )


def assumed(costs: Costs, model: CostModel) -> Assumed:
    """Both ranges are drawn from evenly, so that their middle is what many orders cost on average."""
    with exact():
        fee_rate = (model.fee_rate_min + model.fee_rate_max) / 2
        slippage = (model.slippage_bp_min + model.slippage_bp_max) / 2 * BASIS_POINT
        return Assumed(fees=costs.notional * fee_rate, slippage=costs.reference * slippage)


def _bp(part: Decimal, whole: Decimal) -> Decimal | None:
    if not whole:
        return None
    with exact():
        return ratio(part, whole) * TO_BP
