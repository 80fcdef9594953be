"""From fills to quantity, cost basis, fees and profit, exact to the last digit. PURE.

The rules:

- The cost basis is the sum of price x amount of what is held; fees are not in it.
- A fee is inside ``realised`` the moment it is paid. A quote fee lowers it by itself. A base fee on a buy is base
  bought and gone again at the fill's price: quantity, cost and realised fall. A base fee on a sell is base that leaves
  with the sold base, for nothing. A fee in any other currency is converted at ``fee_rate_quote``.
- A sell removes cost x sold / quantity from the cost basis, rounded to 12 decimals half-even; the sell that brings the
  quantity to 0 removes all that is left. So the residue of rounding goes to the last close, here and nowhere else.

They make one identity hold for any sequence of fills and any mark:

    sum of cash changes + quantity x mark = realised + unrealised + sum of what was paid elsewhere

Paid elsewhere are the fees in a third currency, each at its own fill's rate: they lower the profit, and neither the
quote currency nor what is held.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from market.money import ROUNDED, ZERO, exact
from market.orders import Fill, Side

COST_STEP = Decimal("1e-12")
"""The grid to which the cost removed by a partial sell is rounded, in quote."""


@dataclass(frozen=True, slots=True)
class Holding:
    """A long position in figures: ``quantity`` in base, the rest in quote. ``realised`` is net of ``fees``."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    realised: Decimal = ZERO
    fees: Decimal = ZERO


def apply_fill(
    holding: Holding, side: Side, fill: Fill, base: str, quote: str, fee_rate_quote: Decimal | None = None
) -> Holding:
    """The holding after the fill. ``fee_rate_quote`` is the price in quote of one unit of a third fee currency.

    Raises ValueError when more is sold than held (base fees included), when the fill's figures are not positive finite
    numbers (a negative fee is a rebate and fine), and when a third fee currency has no rate.
    """
    _require_sound(fill)
    with exact():
        fee_base = fill.fee if fill.fee_currency == base else ZERO
        fee_quote = _fee_in_quote(fill, base, quote, fee_rate_quote)
        if side is Side.BUY:
            return _bought(holding, fill, fee_base, fee_quote)
        return _sold(holding, fill, fee_base, fee_quote)


def write_off(holding: Holding) -> Holding:
    """The holding after its rest is given up as dust: too little to sell. What it cost is a realised loss."""
    with exact():
        return Holding(realised=holding.realised - holding.cost, fees=holding.fees)


def unrealised(holding: Holding, mark: Decimal) -> Decimal:
    """quantity x mark - cost, in quote."""
    with exact():
        return holding.quantity * mark - holding.cost


def cash_change(side: Side, fill: Fill, quote: str) -> Decimal:
    """What the fill did to quote cash, a quote fee included: negative for a buy."""
    with exact():
        value = fill.price * fill.amount
        fee = fill.fee if fill.fee_currency == quote else ZERO
        return (value if side is Side.SELL else -value) - fee


def paid_elsewhere(fill: Fill, base: str, quote: str) -> Decimal:
    """A fee in a third currency, in quote at the fill's own rate; 0 for any other. Raises ValueError without a rate."""
    if fill.fee_currency in (base, quote):
        return ZERO
    with exact():
        return _fee_in_quote(fill, base, quote, fill.fee_rate)


def _bought(holding: Holding, fill: Fill, fee_base: Decimal, fee_quote: Decimal) -> Holding:
    if fee_base > fill.amount:
        raise ValueError(f"fill {fill.trade_id}: the fee {fee_base} is more than the {fill.amount} bought")
    kept = fill.amount - fee_base
    return Holding(
        quantity=holding.quantity + kept,
        cost=holding.cost + fill.price * kept,
        realised=holding.realised - fee_quote,
        fees=holding.fees + fee_quote,
    )


def _sold(holding: Holding, fill: Fill, fee_base: Decimal, fee_quote: Decimal) -> Holding:
    out = fill.amount + fee_base
    if out > holding.quantity:
        raise ValueError(f"fill {fill.trade_id}: {out} sold, fee included, but only {holding.quantity} held")
    removed = _cost_removed(holding, out)
    # A base fee needs no deduction of its own: its cost is part of `removed`, and it brought no proceeds.
    fee_paid = ZERO if fee_base else fee_quote
    return Holding(
        quantity=holding.quantity - out,
        cost=holding.cost - removed,
        realised=holding.realised + fill.price * fill.amount - removed - fee_paid,
        fees=holding.fees + fee_quote,
    )


def _cost_removed(holding: Holding, out: Decimal) -> Decimal:
    if out == holding.quantity:
        return holding.cost
    share = holding.cost * out
    with localcontext(ROUNDED):
        removed = (share / holding.quantity).quantize(COST_STEP, rounding=ROUND_HALF_EVEN)
    return min(removed, holding.cost)  # rounding up must not leave a negative cost behind


def _fee_in_quote(fill: Fill, base: str, quote: str, rate: Decimal | None) -> Decimal:
    if not fill.fee or fill.fee_currency == quote:
        return fill.fee
    if fill.fee_currency == base:
        return fill.fee * fill.price
    if rate is None or not rate.is_finite() or rate <= 0:
        raise ValueError(f"fill {fill.trade_id}: a fee in {fill.fee_currency} needs its price in {quote}, not {rate}")
    return fill.fee * rate


def _require_sound(fill: Fill) -> None:
    if not (fill.price.is_finite() and fill.amount.is_finite() and fill.fee.is_finite()):
        raise ValueError(f"fill {fill.trade_id}: price, amount and fee must be finite")
    if fill.price <= 0 or fill.amount <= 0:
        raise ValueError(f"fill {fill.trade_id}: price {fill.price} and amount {fill.amount} must be positive")
