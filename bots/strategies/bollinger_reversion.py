"""Buy the return from below the lower Bollinger band, sell at the mean. PURE."""

from typing import ClassVar

from pydantic import Field

from bots.strategies import indicators
from bots.strategies.base import Columns, Parameters, Signal
from bots.strategies.stops import LONGEST_PERIOD, StopParameters, StoppedStrategy
from market.candles import Candles, Column


class BollingerReversionParameters(StopParameters):
    """Period and width of the bands."""

    period: int = Field(20, ge=5, le=LONGEST_PERIOD, description="candles of the bands")
    deviations: float = Field(2.0, ge=0.5, le=5, description="width of the bands in standard deviations")


class BollingerReversion(StoppedStrategy[BollingerReversionParameters]):
    """ENTER when the close crosses back above the lower band, EXIT while it is at or above the middle band."""

    name = "bollinger_reversion"
    title = "Bollinger reversion: buys the return above the lower band, sells at the middle"
    Parameters: ClassVar[type[Parameters]] = BollingerReversionParameters

    @property
    def rule_period(self) -> int:
        return self.parameters.period

    def rule_columns(self, candles: Candles) -> dict[str, Column]:
        _, middle, lower = indicators.bollinger(candles.close, self.parameters.period, self.parameters.deviations)
        return {
            "middle_band": middle,
            "lower_band": lower,
            "previous_close": indicators.previous(candles.close),
            "previous_lower_band": indicators.previous(lower),
        }

    def at(self, candles: Candles, columns: Columns, i: int) -> Signal:
        close = candles.close[i]
        # First: a close that jumps from below to the middle has already done what an entry would wait for.
        if close >= columns["middle_band"][i]:
            return self.leave(candles, columns, i, "the close is at or above the middle band")
        was_below = columns["previous_close"][i] <= columns["previous_lower_band"][i]
        if was_below and close > columns["lower_band"][i]:
            return self.enter(candles, columns, i, "the close came back above the lower band")
        return self.hold(candles, columns, i, "the close is below the middle band and did not cross the lower one")
