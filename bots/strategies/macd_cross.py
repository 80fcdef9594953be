"""Follow the momentum when the MACD line crosses its signal line. PURE."""

from typing import ClassVar

from pydantic import Field, model_validator

from bots.strategies import indicators
from bots.strategies.base import Columns, Parameters, Signal
from bots.strategies.stops import LONGEST_PERIOD, StopParameters, StoppedStrategy
from market.candles import Candles, Column


class MacdCrossParameters(StopParameters):
    """The three periods."""

    fast: int = Field(12, ge=2, le=LONGEST_PERIOD, description="candles of the fast average")
    slow: int = Field(26, ge=3, le=LONGEST_PERIOD, description="candles of the slow average")
    signal: int = Field(9, ge=2, le=LONGEST_PERIOD, description="candles of the signal line")

    @model_validator(mode="after")
    def _fast_below_slow(self) -> "MacdCrossParameters":
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self


class MacdCross(StoppedStrategy[MacdCrossParameters]):
    """ENTER when the MACD line crosses above its signal line, EXIT when it crosses below."""

    name = "macd_cross"
    title = "MACD cross: buys when the MACD line crosses above its signal line"
    Parameters: ClassVar[type[Parameters]] = MacdCrossParameters

    @property
    def rule_period(self) -> int:
        return max(self.parameters.slow, self.parameters.signal)

    def rule_columns(self, candles: Candles) -> dict[str, Column]:
        line, signal = indicators.macd(
            candles.close, self.parameters.fast, self.parameters.slow, self.parameters.signal
        )
        return {
            "macd": line,
            "macd_signal": signal,
            "previous_macd": indicators.previous(line),
            "previous_macd_signal": indicators.previous(signal),
        }

    def at(self, candles: Candles, columns: Columns, i: int) -> Signal:
        gap = columns["macd"][i] - columns["macd_signal"][i]
        before = columns["previous_macd"][i] - columns["previous_macd_signal"][i]
        if before <= 0 < gap:
            return self.enter(candles, columns, i, "the MACD line crossed above its signal line")
        if before >= 0 > gap:
            return self.leave(candles, columns, i, "the MACD line crossed below its signal line")
        return self.hold(candles, columns, i, "the MACD lines did not cross")
