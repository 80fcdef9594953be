"""What a fill moves in and out of the account, asset by asset. PURE.

The ledger tells what a fill means for one position, in quote. This tells what the exchange does to the balances, which
needs no rates: sold and bought amounts at the fill's price, and the fee in whatever currency it was taken.
"""

from decimal import Decimal

from market.money import ZERO, exact
from market.orders import Fill, Side


def flows(side: Side, fill: Fill, base: str, quote: str) -> dict[str, Decimal]:
    """The change of each asset's balance, fee inside; only assets that change. A rebate (fee below 0) comes in."""
    with exact():
        value = fill.price * fill.amount
        bought = side is Side.BUY
        moved = {base: fill.amount if bought else -fill.amount, quote: -value if bought else value}
        moved[fill.fee_currency] = moved.get(fill.fee_currency, ZERO) - fill.fee
    return {asset: change for asset, change in moved.items() if change}
