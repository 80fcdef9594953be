"""Whether what a window shows may be decided on. PURE.

An outage has two shapes: candles that are missing, and candles without a trade. Both mean that there was no market, so
both keep a strategy from entering until they have left its look-back. Positions are seen to all the same.
"""

from market.candles import Candles
from market.hygiene import LARGEST_JUMP

STANDSTILL = 2
"""So many candles in a row at one single price: a feed that stands still, whatever volume it claims."""


def why_not_trusted(candles: Candles, look_back: int, interval_s: int) -> str:
    """Why no entry may be decided on the last ``look_back`` candles; empty when it may."""
    seen = look_back + 1  # an indicator's first value needs the close before it
    missing = candles.missing(seen, interval_s)
    if missing:
        return f"{missing} candles are missing in the look-back"
    untraded = int((candles.volume[-seen:] == 0).sum())
    if untraded:
        return f"{untraded} candles in the look-back are without a trade"
    if implausible(candles):
        return "the last candle's jump is not believed"
    return f"the price has stood still for {STANDSTILL} candles" if _stands_still(candles) else ""


def implausible(candles: Candles) -> bool:
    """Whether a price of the last candle is so far from the close before it that it may neither be entered on, nor
    valued at, nor called a stop: a bad print, until the next candle agrees."""
    if len(candles) < 2:
        return False
    before, high, low = float(candles.close[-2]), float(candles.high[-1]), float(candles.low[-1])
    return not (high <= before * LARGEST_JUMP and low >= before / LARGEST_JUMP)


def believed(candles: Candles) -> Candles:
    """The window without a last candle that is not believed."""
    return candles[:-1] if implausible(candles) else candles


def _stands_still(candles: Candles) -> bool:
    if len(candles) < STANDSTILL:
        return False
    last = candles[-STANDSTILL:]
    return float(last.high.max()) == float(last.low.min())
