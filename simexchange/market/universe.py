"""PURE. The thirteen invented markets: names as on Binance, prices and volumes of about their real size."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from simexchange.market.instruments import Instrument

#: Log-price standard deviation per minute of the factor that all markets share (0.095 % a minute, about 0.4 % in 15).
MARKET_MINUTE_VOL = 0.00095


@dataclass(frozen=True)
class InventedMarket:
    """``centre`` is the price the market reverts to, in quote; ``beta`` its share of the common factor; ``own_vol``
    the standard deviation per minute of its own; ``minute_turnover`` its typical traded value, in quote per minute."""

    instrument: Instrument
    centre: float
    beta: float
    own_vol: float
    minute_turnover: float


def _market(
    base: str, centre: str, tick: str, step: str, beta: float, own_vol: float, turnover: float
) -> InventedMarket:
    book = Decimal(str(turnover)) / 20
    # What one market order may take: about 600 times the best price's offer, whole units of base where they are cheap.
    largest = (book * 600 / Decimal(centre)).quantize(Decimal("0.00000001"))
    instrument = Instrument(base, "USDT", Decimal(tick), Decimal(step), Decimal(5), largest, book)
    return InventedMarket(instrument, float(centre), beta, own_vol, turnover)


MARKETS: tuple[InventedMarket, ...] = (
    _market("BTC", "65000", "0.01", "0.00001", 1.00, 0.00030, 900_000),
    _market("ETH", "3200", "0.01", "0.0001", 1.10, 0.00055, 600_000),
    _market("BNB", "600", "0.01", "0.001", 0.90, 0.00060, 180_000),
    _market("SOL", "150", "0.01", "0.001", 1.25, 0.00085, 300_000),
    _market("XRP", "0.6", "0.0001", "0.1", 1.05, 0.00085, 200_000),
    _market("ADA", "0.45", "0.0001", "0.1", 1.15, 0.00080, 90_000),
    _market("DOGE", "0.15", "0.00001", "1", 1.25, 0.00100, 150_000),
    _market("AVAX", "30", "0.01", "0.01", 1.25, 0.00095, 60_000),
    _market("LINK", "14", "0.01", "0.01", 1.15, 0.00090, 60_000),
    _market("DOT", "6", "0.001", "0.01", 1.15, 0.00080, 40_000),
    _market("LTC", "80", "0.01", "0.001", 1.00, 0.00075, 50_000),
    _market("TRX", "0.15", "0.0001", "0.1", 0.70, 0.00060, 50_000),
    _market("ATOM", "7", "0.001", "0.01", 1.15, 0.00085, 30_000),
)
