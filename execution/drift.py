"""Where our books and the exchange's balances disagree. PURE."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal

from market.money import ZERO, canonical, exact


@dataclass(frozen=True, slots=True)
class Drift:
    """One asset of which the exchange has ``difference`` more (below 0: less) than our books say."""

    asset: str
    booked: Decimal
    at_exchange: Decimal
    difference: Decimal

    def __str__(self) -> str:
        """As in a sentence for the operator, every digit shown."""
        more = "more" if self.difference > 0 else "less"
        there = f"the exchange has {canonical(self.at_exchange)} {self.asset}, our books {canonical(self.booked)}"
        return f"{there}: {canonical(self.difference.copy_abs())} {more}"


def drift(
    booked: Mapping[str, Decimal],
    at_exchange: Mapping[str, Decimal],
    in_flight: Collection[str],
    traded: Collection[str] = (),
    tolerance: Mapping[str, Decimal] | None = None,
) -> list[Drift]:
    """The assets that drifted, by name.

    ``booked`` is by asset what the books expect there (fills, capital and what is untracked), ``at_exchange`` the
    total, free and locked; an asset that one of them does not name is 0 there. Assets ``in_flight`` have an order
    whose outcome is not booked yet: nothing can be said of them. An asset without a row in ``booked`` is nobody's
    business, unless it is ``traded`` (the account's quote, the base of a bot's symbol). Without a ``tolerance`` of
    its own an asset has to agree to the last digit; with one, a difference of exactly that much is still none.
    """
    allowed = tolerance or {}
    looked_at = sorted(({*booked} | {*traded}) - {*in_flight})
    compared = (_compared(asset, booked.get(asset, ZERO), at_exchange.get(asset, ZERO)) for asset in looked_at)
    return [one for one in compared if one.difference.copy_abs() > allowed.get(one.asset, ZERO)]


def _compared(asset: str, booked: Decimal, at_exchange: Decimal) -> Drift:
    with exact():
        return Drift(asset, booked, at_exchange, at_exchange - booked)
