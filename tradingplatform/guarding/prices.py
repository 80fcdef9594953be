"""Live prices between ticks: what is held is valued, the breakers are measured, and what has no price is told.

The one thing that is remembered is the last look's prices, to see whether two looks agree.
"""

from decimal import Decimal

from django.db.models import QuerySet

from bots.models import Bot, BotStatus
from execution.marking import mark_all, symbols_held
from market.clock import Now
from market.exchange import ExchangeError
from market.fetcher import DataFetcher, Price
from tradingplatform.conditions import review_prices, review_symbols
from tradingplatform.wiring import Platform

PRICE_MAX_AGE_MS = 15_000  # wall time after which a live price is no price any more

AGREEMENT = Decimal("0.05")
"""Two prices no further apart, as a fraction, agree with each other."""


class PriceLook:
    """One request for the prices of all symbols in use; what they make of the accounts."""

    def __init__(self, platform: Platform, fetcher: DataFetcher) -> None:
        self._platform = platform
        self._fetcher = fetcher
        self._before: dict[str, Price] = {}

    def look(self, now: Now) -> None:
        """Value what is held at live prices, and tell of symbols that have none, or do not trade any more. Where
        nothing is held, that is a look too: the account's value is known, and its day begins in time."""
        symbols = set(in_service().values_list("symbol", flat=True)) | symbols_held()
        agreed = self._agreed(symbols, now) if symbols else {}
        mark_all(self._on_tick(agreed) if agreed else {}, now)

    def _agreed(self, symbols: set[str], now: Now) -> dict[str, Price]:
        found = self._fetcher.prices(symbols)
        furthest_ms = round(PRICE_MAX_AGE_MS * self._platform.clock.speed)
        young = {symbol: price for symbol, price in found.items() if abs(now.market_ms - price.at_ms) <= furthest_ms}
        trading = self._trading(symbols)
        review_prices(self._platform.exchange.id, trading - young.keys(), now)
        review_symbols(symbols - trading, now)
        agreed = {symbol: price for symbol, price in young.items() if self._agrees(symbol, price)}
        self._before = young
        return agreed

    def _agrees(self, symbol: str, price: Price) -> bool:
        """Whether two looks in a row saw about the same: one bad print must not make a peak to fall from."""
        before = self._before.get(symbol)
        return before is not None and abs(price.price - before.price) <= AGREEMENT * before.price

    def _trading(self, symbols: set[str]) -> set[str]:
        """Those that trade at the exchange; all of them while it cannot be asked."""
        try:
            listed = self._platform.instruments()
        except ExchangeError:
            return symbols
        trading = {symbol for symbol in symbols if symbol in listed and listed[symbol].active}
        if trading != symbols:
            self._platform.exchange.look_again()
        return trading

    def _on_tick(self, prices: dict[str, Price]) -> dict[str, Price]:
        """Prices of symbols that are listed, on their tick."""
        listed = self._platform.instruments()
        return {
            symbol: Price(listed[symbol].round_price(price.price), price.at_ms)
            for symbol, price in prices.items()
            if symbol in listed
        }


def in_service() -> QuerySet[Bot]:
    """Bots that tick."""
    return Bot.objects.exclude(status=BotStatus.STOPPED)
