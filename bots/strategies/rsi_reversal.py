"""Buy the turn out of an oversold market. PURE."""

from typing import ClassVar

from pydantic import Field, model_validator

from bots.strategies import indicators
from bots.strategies.base import Columns, Parameters, Signal
from bots.strategies.stops import LONGEST_PERIOD, StopParameters, StoppedStrategy
from market.candles import Candles, Column


class RsiReversalParameters(StopParameters):
    """RSI period and the two levels."""

    period: int = Field(14, ge=2, le=LONGEST_PERIOD, description="candles of the RSI")
    oversold: float = Field(30.0, ge=1, le=50, description="RSI level that must be crossed upwards to enter")
    overbought: float = Field(70.0, ge=50, le=99, description="RSI level that must be crossed upwards to exit")

    @model_validator(mode="after")
    def _levels_in_order(self) -> "RsiReversalParameters":
        if self.oversold >= self.overbought:
            raise ValueError(f"oversold ({self.oversold:g}) must be below overbought ({self.overbought:g})")
        return self


class RsiReversal(StoppedStrategy[RsiReversalParameters]):
    """ENTER when the RSI crosses up through oversold, EXIT when it crosses above overbought."""

    name = "rsi_reversal"
    title = "RSI reversal: buys when the RSI comes back up out of oversold"
    Parameters: ClassVar[type[Parameters]] = RsiReversalParameters

    @property
    def rule_period(self) -> int:
        return self.parameters.period

    def rule_columns(self, candles: Candles) -> dict[str, Column]:
        rsi = indicators.rsi(candles.close, self.parameters.period)
        return {"rsi": rsi, "previous_rsi": indicators.previous(rsi)}

    def at(self, candles: Candles, columns: Columns, i: int) -> Signal:
        rsi, before = columns["rsi"][i], columns["previous_rsi"][i]
        low, high = self.parameters.oversold, self.parameters.overbought
        if before <= low < rsi:
            return self.enter(candles, columns, i, f"RSI {before:.1f} -> {rsi:.1f} crossed up through {low:g}")
        if before <= high < rsi:
            return self.leave(candles, columns, i, f"RSI {before:.1f} -> {rsi:.1f} crossed above {high:g}")
        return self.hold(candles, columns, i, f"RSI {before:.1f} -> {rsi:.1f} crossed no level")
