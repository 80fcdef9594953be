"""Cells of the long lists that know bots, their accounts, and the market's clock."""

from typing import Any

from django.db.models import Model
from django.utils.safestring import SafeString

from bots.list_filters import market_now
from bots.models import Bot, ExchangeAccount, Mode
from market.money import decimals_shown
from notifications.admin_base import ModelAdmin, display
from notifications.lists.cells import ago, when

MARKET_TIME = "market time"


def market_when(name: str, description: str) -> Any:
    """A column with that market time of the row, and its age in market time."""

    @display(description=description, ordering=name)
    def column(self: ModelAdmin, obj: Model) -> SafeString | str:
        return when(getattr(obj, name), market_now(), MARKET_TIME)

    return column


def market_ago(name: str, description: str) -> Any:
    """A column with the age of that market time of the row, in market time."""

    @display(description=description, ordering=name)
    def column(self: ModelAdmin, obj: Model) -> SafeString | str:
        return ago(getattr(obj, name), market_now(), MARKET_TIME)

    return column


MODE_COLOURS = {Mode.PAPER: "default", Mode.LIVE: "warning"}


@display(description="mode", label=MODE_COLOURS)
def mode_of_account(self: ModelAdmin, row: Any) -> tuple[str, str]:
    """PAPER or LIVE: what the row's account is now."""
    account: ExchangeAccount = row.account
    return account.mode, account.get_mode_display()


def strategy_of(bot: Bot | None) -> str:
    """The strategy of a bot as it is now."""
    return "-" if bot is None else bot.strategy


def base_of(symbol: str) -> str:
    """What a symbol's amounts are counted in."""
    return symbol.partition("/")[0]


def quote_of(symbol: str) -> str:
    """What a symbol's prices and profit are counted in."""
    return symbol.partition("/")[2]


def decimals_of(symbol: str) -> int:
    """How many decimals money of the symbol's quote currency is shown with."""
    return decimals_shown(quote_of(symbol))
