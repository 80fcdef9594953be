"""The account's balances by our books: what the exchange is compared with."""

from collections.abc import Mapping
from decimal import Decimal

from execution.models import AssetBalance
from market.money import exact


def booked_balances(account_id: int) -> dict[str, Decimal]:
    """What the exchange should have of each asset that the account has ever had."""
    with exact():
        return {row.asset: row.amount + row.untracked for row in AssetBalance.objects.filter(account_id=account_id)}


def book_flows(account_id: int, flows: Mapping[str, Decimal]) -> None:
    """Add to each asset's balance what came in (above 0) or went out, under the caller's portfolio lock."""
    for asset, change in flows.items():
        row, _ = AssetBalance.objects.get_or_create(account_id=account_id, asset=asset)
        with exact():
            row.amount += change
        row.save(update_fields=["amount"])
