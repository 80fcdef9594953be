"""Strategies whose every entry carries a stop: the parameters of the stop, and the one way to enter. PURE."""

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, Literal, TypeVar

from pydantic import Field

from bots.strategies import indicators
from bots.strategies.base import Action, Columns, Parameters, Signal, Strategy
from market.candles import Candles, Column

LONGEST_PERIOD = 71
"""Bound of every period: 14 x 71 = 994 candles of warm-up still fit into the 1000 of a window."""


class StopParameters(Parameters):
    """Where the stop of an entry lies, and perhaps a target."""

    stop_type: Literal["atr", "percent"] = Field("atr", description="how the stop's distance is measured")
    atr_period: int = Field(14, ge=2, le=LONGEST_PERIOD, description="candles of the average true range")
    stop_atr: float = Field(2.0, ge=0.25, le=10, description="stop distance in average true ranges (stop_type atr)")
    stop_percent: float = Field(2.0, ge=0.1, le=50, description="stop distance in % of the close (stop_type percent)")
    target_r: float = Field(0.0, ge=0, le=20, description="target distance in stop distances; 0 for no target")


P = TypeVar("P", bound=StopParameters)


class StoppedStrategy(Strategy, Generic[P]):
    """A long-only strategy with a rule of its own and the stop of ``StopParameters``."""

    Parameters: ClassVar[type[Parameters]] = StopParameters

    def __init__(self, parameters: P) -> None:
        self.parameters = parameters

    @property
    @abstractmethod
    def rule_period(self) -> int:
        """The longest look-back of the rule, in candles."""

    @abstractmethod
    def rule_columns(self, candles: Candles) -> dict[str, Column]:
        """The rule's columns, as ``columns`` asks. A rule that looks at row i-1 has a column for that too, so that a
        row is judged only when both are defined.
        """

    @property
    def longest_period(self) -> int:
        return max(self.rule_period, self.parameters.atr_period)

    def columns(self, candles: Candles) -> dict[str, Column]:
        """The rule's columns and the average true range, which is computed (and shown) with any stop type."""
        atr = indicators.atr(candles.high, candles.low, candles.close, self.parameters.atr_period)
        return {**self.rule_columns(candles), "atr": atr}

    def enter(self, candles: Candles, columns: Columns, i: int, reason: str) -> Signal:
        """ENTER with a finite stop between 0 and the close; HOLD when the parameters give none."""
        close, figures = float(candles.close[i]), self._figures(candles, columns, i)
        distance = self._stop_distance(close, figures["atr"])
        stop = close - distance
        if not 0 < stop < close:  # false for NaN too
            return Signal(Action.HOLD, f"{reason}, but a stop {distance:g} below {close:g} makes no sense", figures)
        target = close + self.parameters.target_r * distance if self.parameters.target_r else None
        return Signal(Action.ENTER, reason, figures, stop=stop, target=target)

    def leave(self, candles: Candles, columns: Columns, i: int, reason: str) -> Signal:
        """EXIT, with the figures it was read off."""
        return Signal(Action.EXIT, reason, self._figures(candles, columns, i))

    def hold(self, candles: Candles, columns: Columns, i: int, reason: str) -> Signal:
        """HOLD, with the figures it was read off."""
        return Signal(Action.HOLD, reason, self._figures(candles, columns, i))

    def _stop_distance(self, close: float, atr: float) -> float:
        if self.parameters.stop_type == "atr":
            return self.parameters.stop_atr * atr if math.isfinite(atr) else math.nan
        return close * self.parameters.stop_percent / 100

    @staticmethod
    def _figures(candles: Candles, columns: Columns, i: int) -> Mapping[str, float]:
        return {"close": float(candles.close[i]), **{name: float(column[i]) for name, column in columns.items()}}
