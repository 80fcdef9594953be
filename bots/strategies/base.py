"""The one interface of all strategies. PURE.

A strategy computes its indicator columns once over a window of closed candles and reads a signal off any row
that is warm. Live ticks read the last row; a backtest reads them all. Both call the same two methods.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

from market.candles import Candles, Column

WARMUP_PERIODS = 14
"""A recursive indicator (RSI, EMA, ATR) has forgotten its seed to 1e-6 after about 14 times its period."""

MAX_CANDLES = 1000
"""The longest window anyone is given: one request of most exchanges."""

Columns = Mapping[str, Column]


class Action(StrEnum):
    """What a strategy wants after one closed candle."""

    ENTER = "ENTER"  # open a long position, with the stop it carries
    EXIT = "EXIT"  # close the position, if there is one
    HOLD = "HOLD"  # nothing


@dataclass(frozen=True, slots=True)
class Signal:
    """A strategy's wish and its grounds. Prices are floats in quote; ``stop`` is set on every ENTER."""

    action: Action
    reason: str
    indicators: Mapping[str, float] = field(default_factory=dict)
    stop: float | None = None
    target: float | None = None


class Parameters(BaseModel):
    """Typed and bounded parameters. Unknown names and values out of range raise pydantic.ValidationError."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Neither "35" nor true is one: pydantic would read both as numbers."""
        kind = cls.model_fields[str(info.field_name)].annotation
        if kind in (int, float) and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise ValueError("not a number")
        return value


class Strategy(ABC):
    """One strategy with its parameters: no state between calls, no clock, no I/O."""

    name: ClassVar[str]  # how fleet files and the database call it
    title: ClassVar[str]  # one line for people
    Parameters: ClassVar[type[Parameters]]

    @property
    @abstractmethod
    def longest_period(self) -> int:
        """The longest look-back of any indicator, in candles."""

    @abstractmethod
    def columns(self, candles: Candles) -> dict[str, Column]:
        """Indicator columns, each of the candles' length, NaN where not yet defined.

        Row i depends on candles 0..i only.
        """

    @abstractmethod
    def at(self, candles: Candles, columns: Columns, i: int) -> Signal:
        """The signal after candle ``i`` has closed. Called for warm rows with finite inputs only."""

    @property
    def warmup(self) -> int:
        """Candles needed before the first signal."""
        return WARMUP_PERIODS * self.longest_period

    def evaluate(self, candles: Candles) -> Signal:
        """The signal after the last candle: HOLD while warming up or on a window that cannot be trusted."""
        if len(candles) < self.warmup:
            return Signal(Action.HOLD, f"warming up: {len(candles)} of {self.warmup} candles")
        if not all(np.isfinite(column).all() for column in candles.prices()):
            return Signal(Action.HOLD, "the candles are not all finite numbers")
        if float(np.ptp(candles.close[-self.longest_period :])) == 0.0:
            return Signal(Action.HOLD, "the price has not moved over the look-back: indicators mean nothing")
        columns = self.columns(candles)
        if not all(np.isfinite(column[-1]) for column in columns.values()):
            return Signal(Action.HOLD, "an indicator is undefined")
        return self.at(candles, columns, len(candles) - 1)
