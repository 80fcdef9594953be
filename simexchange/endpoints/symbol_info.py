"""PURE. How exchangeInfo describes a symbol."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from simexchange.amounts import decimal8
from simexchange.market.instruments import (
    MAX_ALGO_ORDERS,
    MAX_NOTIONAL,
    MAX_ORDERS,
    MAX_PRICE,
    PERCENT_DOWN,
    PERCENT_UP,
    Instrument,
)
from simexchange.orders.order import OrderType, SelfTrade


def symbol_info(instrument: Instrument, trading: bool) -> dict[str, object]:
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
        "orderTypes": list(OrderType),
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": _filters(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
        "allowedSelfTradePreventionModes": list(SelfTrade),
    }


def _filters(instrument: Instrument) -> list[Mapping[str, object]]:
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
