"""Buy a new high, sell a new low: the channel breakout. PURE."""

from typing import ClassVar

from pydantic import Field

from bots.strategies import indicators
from bots.strategies.base import Columns, Parameters, Signal
from bots.strategies.stops import LONGEST_PERIOD, StopParameters, StoppedStrategy
from market.candles import Candles, Column


class DonchianBreakoutParameters(StopParameters):
    """The two look-backs, 20 and 10 in the Turtles' first system (Faith 2003)."""

    entry_period: int = Field(20, ge=2, le=LONGEST_PERIOD, description="candles whose high must be exceeded to enter")
    exit_period: int = Field(10, ge=2, le=LONGEST_PERIOD, description="candles whose low must be undercut to exit")


class DonchianBreakout(StoppedStrategy[DonchianBreakoutParameters]):
    """ENTER on the first close above the highest high of the candles before it, EXIT on a close below their lowest low.

    "First": the close before was not above its own channel, so that one rise is one entry, not one per candle.
    """

    name = "donchian_breakout"
    title = "Donchian breakout: buys a close above the highest high, sells one below the lowest low"
    Parameters: ClassVar[type[Parameters]] = DonchianBreakoutParameters

    @property
    def rule_period(self) -> int:
        return max(self.parameters.entry_period, self.parameters.exit_period)

    def rule_columns(self, candles: Candles) -> dict[str, Column]:
        upper = indicators.previous_high(candles.high, self.parameters.entry_period)
        return {
            "upper_channel": upper,
            "lower_channel": indicators.previous_low(candles.low, self.parameters.exit_period),
            "previous_close": indicators.previous(candles.close),
            "previous_upper_channel": indicators.previous(upper),
        }

    def at(self, candles: Candles, columns: Columns, i: int) -> Signal:
        close = candles.close[i]
        was_inside = columns["previous_close"][i] <= columns["previous_upper_channel"][i]
        if was_inside and close > columns["upper_channel"][i]:
            return self.enter(
                candles, columns, i, f"the close broke the high of {self.parameters.entry_period} candles"
            )
        if close < columns["lower_channel"][i]:
            return self.leave(candles, columns, i, f"the close broke the low of {self.parameters.exit_period} candles")
        return self.hold(candles, columns, i, "the close broke neither side of its channel")
