"""Follow the trend when a fast average crosses a slow one. PURE."""

from typing import ClassVar

from pydantic import Field, model_validator

from bots.strategies import indicators
from bots.strategies.base import Columns, Parameters, Signal
from bots.strategies.stops import LONGEST_PERIOD, StopParameters, StoppedStrategy
from market.candles import Candles, Column


class EmaCrossParameters(StopParameters):
    """The two periods."""

    fast: int = Field(9, ge=2, le=LONGEST_PERIOD, description="candles of the fast average")
    slow: int = Field(21, ge=3, le=LONGEST_PERIOD, description="candles of the slow average")

    @model_validator(mode="after")
    def _fast_below_slow(self) -> "EmaCrossParameters":
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self


class EmaCross(StoppedStrategy[EmaCrossParameters]):
    """ENTER when the fast average crosses above the slow one, EXIT when it crosses below."""

    name = "ema_cross"
    title = "EMA cross: buys when the fast average crosses above the slow one"
    Parameters: ClassVar[type[Parameters]] = EmaCrossParameters

    @property
    def rule_period(self) -> int:
        return self.parameters.slow

    def rule_columns(self, candles: Candles) -> dict[str, Column]:
        fast = indicators.ema(candles.close, self.parameters.fast)
        slow = indicators.ema(candles.close, self.parameters.slow)
        return {
            "fast_ema": fast,
            "slow_ema": slow,
            "previous_fast_ema": indicators.previous(fast),
            "previous_slow_ema": indicators.previous(slow),
        }

    def at(self, candles: Candles, columns: Columns, i: int) -> Signal:
        gap = columns["fast_ema"][i] - columns["slow_ema"][i]
        before = columns["previous_fast_ema"][i] - columns["previous_slow_ema"][i]
        if before <= 0 < gap:
            return self.enter(candles, columns, i, "the fast EMA crossed above the slow one")
        if before >= 0 > gap:
            return self.leave(candles, columns, i, "the fast EMA crossed below the slow one")
        return self.hold(candles, columns, i, "the EMAs did not cross")
