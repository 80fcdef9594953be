"""PURE. What an execution costs, and in which asset it is taken."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simexchange.orders.balances import Purse, cut

#: Binance takes a quarter off spot fees that are paid in BNB.
DISCOUNT = Decimal("0.75")


@dataclass(frozen=True)
class Fees:
    """Rates of the executed value: 0.001 is 0.1 %.

    ``asset`` is the one in which the account wants to pay, ``asset_price`` what one of it is worth in the quote asset
    of the trade; None where it is not traded against it, or where the account did not ask.
    """

    taker: Decimal
    maker: Decimal
    asset: str | None = None
    asset_price: Decimal | None = None

    def charge(
        self, purse: Purse, received: tuple[str, Decimal], value: Decimal, is_maker: bool
    ) -> tuple[str, Decimal]:
        """Take the fee of one execution out of the purse: (asset, amount).

        In the wanted asset with Binance's discount if that much of it is free, else at the full rate in the asset that
        was received. ``value`` is the executed value in quote. Amounts are cut to eight decimals.
        """
        rate = self.maker if is_maker else self.taker
        if self.asset is not None and self.asset_price:
            fee = cut(value * rate * DISCOUNT / self.asset_price)
            if purse.balance(self.asset).free >= fee:
                purse.receive(self.asset, -fee)
                return self.asset, fee
        asset, amount = received
        fee = cut(amount * rate)
        purse.receive(asset, -fee)
        return asset, fee
