"""A strategy that wants to enter at every candle, so that a test need not wait for a market that pleases another."""

from pathlib import Path
from typing import ClassVar

from django.apps import AppConfig

from bots.strategies.base import Columns, Parameters, Signal
from bots.strategies.registry import STRATEGIES
from bots.strategies.stops import StopParameters, StoppedStrategy
from market.candles import Candles, Column


class AtOnce(StoppedStrategy[StopParameters]):
    """ENTER, always."""

    name = "at_once"
    title = "At once: buys whenever it is asked"
    Parameters: ClassVar[type[Parameters]] = StopParameters

    @property
    def rule_period(self) -> int:
        return 14  # two candles in a row may well close at the same price, and then nothing may enter

    def rule_columns(self, candles: Candles) -> dict[str, Column]:
        return {}

    def at(self, candles: Candles, columns: Columns, i: int) -> Signal:
        return self.enter(candles, columns, i, "at once")


class AtOnceConfig(AppConfig):
    name = "tests.live_processes"
    label = "at_once"
    path = str(Path(__file__).parent)

    def ready(self) -> None:
        STRATEGIES[AtOnce.name] = AtOnce
