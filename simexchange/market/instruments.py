"""PURE. What is traded, and by which rules."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simexchange.amounts import to_e8

# Prices and amounts the filters allow; far beyond what the simulator trades, as on Binance.
MAX_QTY = Decimal(9_000_000)
MAX_PRICE = Decimal(1_000_000)
MAX_NOTIONAL = Decimal(9_000_000)
# A limit price may be at most five times and at least a fifth of the average price.
PERCENT_UP, PERCENT_DOWN = Decimal(5), Decimal("0.2")
# Open orders of an account on one symbol, and those of them that have a stop price.
MAX_ORDERS, MAX_ALGO_ORDERS = 200, 5


@dataclass(frozen=True)
class Instrument:
    """A spot pair and its trading rules.

    ``tick`` and ``step`` are the smallest changes of price (in quote) and quantity (in base). ``min_notional`` is in
    quote. ``max_market_qty`` bounds one market order, in base. ``book_notional`` is what the synthetic order book
    offers at its best price, in quote.
    """

    base: str
    quote: str
    tick: Decimal
    step: Decimal
    min_notional: Decimal
    max_market_qty: Decimal
    book_notional: Decimal

    @property
    def symbol(self) -> str:
        return self.base + self.quote

    @property
    def tick_e8(self) -> int:
        return to_e8(self.tick)

    @property
    def step_e8(self) -> int:
        return to_e8(self.step)

    @property
    def min_qty(self) -> Decimal:
        return self.step

    @property
    def max_qty(self) -> Decimal:
        return MAX_QTY
