"""What an exchange lists, turned into exact instruments. PURE.

Binance's own strings are used where there are any; elsewhere ccxt's floats, whose shortest spelling is the number that
the exchange published (up to 15 digits).
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any

from market.instruments import Instrument
from market.money import canonical

UNBOUNDED = Decimal(10) ** 18
"""The largest amount where an exchange names none."""

Listing = Mapping[str, Any]
"""One entry of an exchange's own answer, or of ccxt's markets."""


@lru_cache(maxsize=8192)
def _exact(text: str) -> Decimal:
    """The number in its one spelling; the few distinct ones are shared by thousands of instruments."""
    return Decimal(canonical(Decimal(text)))


def from_binance(listing: Listing, symbol: str, base: str, quote: str) -> Instrument:
    """One entry of exchangeInfo's ``symbols``, under its unified name and currencies.

    Amount limits are those that an order of any type passes: the tighter one of LOT_SIZE and MARKET_LOT_SIZE. A tick or
    step of 0 (the rule is off) falls back to the asset's precision. Raises KeyError, TypeError or
    decimal.InvalidOperation when the entry is not what Binance documents.
    """
    filters = {item["filterType"]: item for item in listing["filters"]}
    price, lot, market_lot = filters.get("PRICE_FILTER", {}), filters["LOT_SIZE"], filters.get("MARKET_LOT_SIZE", {})
    market_max = _exact(market_lot.get("maxQty", "0"))
    return Instrument(
        symbol=symbol,
        base=base,
        quote=quote,
        tick_size=_exact(price.get("tickSize", "0")) or _smallest(listing["quotePrecision"]),
        lot_step=max(_exact(lot["stepSize"]), _exact(market_lot.get("stepSize", "0")))
        or _smallest(listing["baseAssetPrecision"]),
        min_amount=max(_exact(lot["minQty"]), _exact(market_lot.get("minQty", "0"))),
        max_amount=min(_exact(lot["maxQty"]), market_max or UNBOUNDED),
        min_notional=max(
            _exact(filters[name].get("minNotional", "0") if name in filters else "0")
            for name in ("NOTIONAL", "MIN_NOTIONAL")
        ),
        active=listing["status"] == "TRADING",
    )


def from_ccxt(market: Listing, decimal_places: bool) -> Instrument | None:
    """One spot market of ccxt; ``decimal_places`` when its precisions count digits instead of naming steps.

    None when the exchange does not say in which steps it trades: nothing could be rounded for it.
    """
    precision, limits = market["precision"], market["limits"]
    if precision.get("price") is None or precision.get("amount") is None:
        return None
    read = _smallest if decimal_places else _number
    step = read(precision["amount"])
    return Instrument(
        symbol=market["symbol"],
        base=market["base"],
        quote=market["quote"],
        tick_size=read(precision["price"]),
        lot_step=step,
        min_amount=_number(limits["amount"]["min"]) or step,
        max_amount=_number(limits["amount"]["max"]) or UNBOUNDED,
        min_notional=_number(limits["cost"]["min"]),
        active=market.get("active") is not False,
    )


def _number(value: float | str | None) -> Decimal:
    return _exact(str(value or 0))


def _smallest(digits: int | str) -> Decimal:
    return _exact(f"1e-{int(digits)}")
