"""Cells that several of these lists share; each list names those its rows have."""

from decimal import Decimal
from typing import Any

from django.utils.safestring import SafeString

from bots.list_cells import quote_of
from execution.models import AssetExposure, BotBook, EquitySnapshot, Portfolio, Position, Trade
from market.money import decimals_shown, exact
from notifications.admin_base import amount, display, money
from notifications.lists.cells import profit


class MoneyCells:
    """Before an admin among the bases. Money in the row's quote currency, named in each cell that is read by itself."""

    @display(description="realised")
    def realised_shown(self, row: Any) -> SafeString | str:
        return in_colour(row, row.realised)

    @display(description="unrealised")
    def unrealised_shown(self, row: Any) -> SafeString | str:
        return in_colour(row, row.unrealised)

    @display(description="fees")
    def fees_shown(self, row: Any) -> str:
        return in_quote(row, row.fees)

    @display(description="exposure")
    def exposure_shown(self, row: Any) -> str:
        return in_quote(row, row.exposure)

    @display(description="peak equity")
    def peak_shown(self, row: Any) -> str:
        return in_quote(row, row.peak_equity)

    @display(description="equity")
    def equity_shown(self, row: Any) -> str:
        return in_quote(row, _equity(row))

    @display(description="amount")
    def amount_shown(self, row: Any) -> str:
        return amount(row.amount)


def in_colour(row: Any, value: Decimal | None) -> SafeString | str:
    """A profit or loss of the row."""
    quote = currency_of(row)
    return profit(value, decimals_shown(quote), quote)


def in_quote(row: Any, value: Decimal | None) -> str:
    """Money of the row."""
    quote = currency_of(row)
    return "-" if value is None else f"{money(value, decimals_shown(quote))} {quote}"


def currency_of(row: Any) -> str:
    """What the row's money is counted in."""
    if isinstance(row, BotBook):
        return quote_of(row.bot.symbol)
    if isinstance(row, AssetExposure):
        return row.portfolio.account.quote
    if isinstance(row, Position | Trade):
        return quote_of(row.symbol)
    quote: str = row.account.quote
    return quote


def _equity(row: Portfolio | BotBook | EquitySnapshot) -> Decimal:
    if isinstance(row, EquitySnapshot):
        stored: Decimal = row.equity
        return stored
    capital: Decimal = row.capital if isinstance(row, Portfolio) else row.bot.capital
    with exact():
        return capital + row.realised + row.unrealised
