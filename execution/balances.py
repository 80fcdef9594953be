"""The account's balances by our books: what the exchange is compared with."""

from collections.abc import Mapping
from decimal import Decimal

from bots.models import Bot, ExchangeAccount
from execution.models import AssetBalance, Trade
from market.money import exact


def booked_balances(account_id: int) -> dict[str, Decimal]:
    """What the exchange should have of each asset that the account has ever had."""
    with exact():
        return {row.asset: row.amount + row.untracked for row in AssetBalance.objects.filter(account_id=account_id)}


def traded_assets(account: ExchangeAccount) -> set[str]:
    """What the account's bots may move: its quote, and the base of each one's symbol."""
    symbols = Bot.objects.filter(account=account).values_list("symbol", flat=True)
    return {account.quote, *(symbol.partition("/")[0] for symbol in symbols)}


def last_fill(account_id: int) -> int:
    """The number of the fill that was booked last: while it stays the same, nothing was booked in between."""
    return Trade.objects.filter(account_id=account_id).order_by("-pk").values_list("pk", flat=True).first() or 0


def book_flows(account_id: int, flows: Mapping[str, Decimal]) -> None:
    """Add to each asset's balance what came in (above 0) or went out, under the caller's portfolio lock."""
    for asset, change in flows.items():
        row, _ = AssetBalance.objects.get_or_create(account_id=account_id, asset=asset)
        with exact():
            row.amount += change
        row.save(update_fields=["amount"])


def book_untracked(account_id: int, asset: str, change: Decimal) -> None:
    """Add to what the account has besides our books: moved by hand there. Under the caller's portfolio lock."""
    row, _ = AssetBalance.objects.get_or_create(account_id=account_id, asset=asset)
    with exact():
        row.untracked += change
    row.save(update_fields=["untracked"])
