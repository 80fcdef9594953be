"""PURE. What is traded, in which steps, and how exchangeInfo describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from simexchange.orders import SelfTrade
from simexchange.wire import decimal8

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
        return int(self.tick.scaleb(8))

    @property
    def step_e8(self) -> int:
        return int(self.step.scaleb(8))

    @property
    def min_qty(self) -> Decimal:
        return self.step

    @property
    def max_qty(self) -> Decimal:
        return MAX_QTY


def filters(instrument: Instrument) -> list[Mapping[str, object]]:
    """The symbol's filters in Binance's order and spelling."""
    return [
        {
            "filterType": "PRICE_FILTER",
            "minPrice": decimal8(instrument.tick),
            "maxPrice": decimal8(MAX_PRICE),
            "tickSize": decimal8(instrument.tick),
        },
        {
            "filterType": "LOT_SIZE",
            "minQty": decimal8(instrument.min_qty),
            "maxQty": decimal8(instrument.max_qty),
            "stepSize": decimal8(instrument.step),
        },
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {
            "filterType": "MARKET_LOT_SIZE",
            "minQty": decimal8(Decimal(0)),
            "maxQty": decimal8(instrument.max_market_qty),
            "stepSize": decimal8(Decimal(0)),
        },
        {
            "filterType": "TRAILING_DELTA",
            "minTrailingAboveDelta": 10,
            "maxTrailingAboveDelta": 2000,
            "minTrailingBelowDelta": 10,
            "maxTrailingBelowDelta": 2000,
        },
        {
            "filterType": "PERCENT_PRICE_BY_SIDE",
            "bidMultiplierUp": str(PERCENT_UP),
            "bidMultiplierDown": str(PERCENT_DOWN),
            "askMultiplierUp": str(PERCENT_UP),
            "askMultiplierDown": str(PERCENT_DOWN),
            "avgPriceMins": 5,
        },
        {
            "filterType": "NOTIONAL",
            "minNotional": decimal8(instrument.min_notional),
            "applyMinToMarket": True,
            "maxNotional": decimal8(MAX_NOTIONAL),
            "applyMaxToMarket": False,
            "avgPriceMins": 5,
        },
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": MAX_ORDERS},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": MAX_ALGO_ORDERS},
    ]


def symbol_info(instrument: Instrument, trading: bool, order_types: tuple[str, ...]) -> dict[str, object]:
    """One entry of exchangeInfo's ``symbols``; ``trading`` False shows as a halted symbol."""
    return {
        "symbol": instrument.symbol,
        "status": "TRADING" if trading else "BREAK",
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": list(order_types),
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": list(SelfTrade),
    }
