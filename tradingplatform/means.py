"""What orders are sent with, for ticks and between them."""

from collections.abc import Callable
from decimal import Decimal

from bots.models import ExchangeAccount
from execution.submit import Means
from market.clock import Now
from market.exchange import ExchangeError
from tradingplatform.wiring import Platform


def means_of(
    platform: Platform, account: ExchangeAccount, symbol: str, clock: Callable[[], Now] | None = None
) -> Means:
    """What the orders of one symbol of an account are sent with. ``clock``: another than the platform's own."""
    try:
        instrument = platform.instrument(symbol)
    except ExchangeError:
        instrument = None
    return Means(platform.executor(account), clock or platform.clock.now, instrument, lambda: bid_of(platform, symbol))


def bid_of(platform: Platform, symbol: str) -> Decimal | None:
    """What the market bids now; None when it cannot be asked. PaperTrader sells at the same, shared quote."""
    try:
        return platform.fetcher.quote(symbol).bid
    except ExchangeError:
        return None
