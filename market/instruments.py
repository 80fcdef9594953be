"""What an exchange allows for one symbol, and the only place that rounds money. PURE."""

from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from math import isfinite

from market.money import ROUNDED


@dataclass(frozen=True, slots=True)
class Instrument:
    """Filters of one symbol, exact. Amounts are in base, prices and notionals in quote."""

    symbol: str
    base: str
    quote: str
    tick_size: Decimal
    lot_step: Decimal
    min_amount: Decimal
    max_amount: Decimal
    min_notional: Decimal
    active: bool = True

    def round_amount_down(self, amount: Decimal) -> Decimal:
        """To the lot step, downwards: never buy more than sized, never sell more than is held."""
        return _to_multiple(amount, self.lot_step, ROUND_FLOOR)

    def round_price(self, price: Decimal) -> Decimal:
        """To the nearest tick: a mark or a fill favours neither side."""
        return _to_multiple(price, self.tick_size, ROUND_HALF_EVEN)

    def round_price_up(self, price: Decimal) -> Decimal:
        """To the tick, upwards: what a simulated buy pays, so that rounding never flatters it."""
        return _to_multiple(price, self.tick_size, ROUND_CEILING)

    def round_price_down(self, price: Decimal) -> Decimal:
        """To the tick, downwards: what a simulated sell gets, so that rounding never flatters it."""
        return _to_multiple(price, self.tick_size, ROUND_FLOOR)

    def price_from_float(self, price: float) -> Decimal:
        """A candle's float as an exact price on the tick grid (float noise such as 5.330000000000001e-05 goes).

        Raises ValueError for NaN and infinities.
        """
        if not isfinite(price):
            raise ValueError(f"a price must be finite, not {price}")
        return self.round_price(Decimal(str(price)))

    def too_few(self, amount: Decimal) -> bool:
        """Whether an amount is too little to be sold at any price."""
        sellable = self.round_amount_down(amount)
        return not sellable or sellable < self.min_amount

    def is_dust(self, amount: Decimal, price: Decimal) -> bool:
        """Whether an amount is too little to be sold at ``price``."""
        return self.too_few(amount) or self.round_amount_down(amount) * price < self.min_notional

    def why_not(self, amount: Decimal, price: Decimal) -> str | None:
        """The filter that an order of ``amount`` at ``price`` would fail, in words; None when it passes all."""
        if not self.active:
            return f"{self.symbol} is not trading"
        if amount != self.round_amount_down(amount):
            return f"amount {amount} is no multiple of the lot step {self.lot_step}"
        if amount < self.min_amount:
            return f"amount {amount} is below the minimum {self.min_amount} {self.base}"
        if amount > self.max_amount:
            return f"amount {amount} is above the maximum {self.max_amount} {self.base}"
        if amount * price < self.min_notional:
            return f"notional {amount * price} is below the minimum {self.min_notional} {self.quote}"
        return None


def _to_multiple(value: Decimal, step: Decimal, rounding: str) -> Decimal:
    with localcontext(ROUNDED):
        return (value / step).to_integral_value(rounding=rounding) * step
