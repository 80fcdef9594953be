"""What one pass of a bot works with, what it saw, and what came of it."""

import time
from dataclasses import dataclass, field, replace

from bots.lifecycle import Claim, left_ms
from bots.models import Bot
from bots.strategies.base import Signal
from execution.models import Position
from market.clock import Now, ms_of
from market.fetcher import Price, Window
from market.instruments import Instrument
from market.trust import implausible
from risk.decisions import Grounds
from risk.models import Outcome
from risk.opinion import Opinion
from risk.verdicts import Proposal
from tradingplatform.ai.prompt import AskLater
from tradingplatform.decide import Choice
from tradingplatform.subject import grounds_of
from tradingplatform.wiring import Platform

LIVE_PRICE_MAX_AGE_WALL_MS = 10_000
"""How old a live price may be that a stop is judged by, and a mark that is not called stale, wall time."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What one tick works with. ``decided``: the slot has its decision, and only what is held is seen to again."""

    platform: Platform
    bot: Bot
    slot: int
    claim: Claim
    began: Now
    again: bool = False
    decided: bool = False
    monotonic_s: float = field(default_factory=lambda: time.monotonic())  # noqa: PLW0108 - looked up when it is called

    @property
    def now(self) -> Now:
        """The moment on both clocks: when the tick began, and what has passed since."""
        elapsed_ms = (time.monotonic() - self.monotonic_s) * 1000
        speed = self.platform.clock.speed
        return Now(self.began.wall_ms + round(elapsed_ms), self.began.market_ms + round(elapsed_ms * speed))

    @property
    def is_late(self) -> bool:
        """Whether it may only exit by now."""
        return self.left_s < 0

    @property
    def left_s(self) -> float:
        """Wall seconds for which it may still enter."""
        speed = self.platform.clock.speed
        return left_ms(self.slot, self.bot.interval_s, self.bot.stagger_s, self.now, speed) / 1000 / speed


@dataclass(frozen=True, slots=True)
class Seen:
    """What a tick looked at; where it had to stop early, not all of it."""

    position: Position | None = None
    instrument: Instrument | None = None
    window: Window | None = None
    choice: Choice | None = None

    @property
    def signal(self) -> Signal | None:
        return self.choice.signal if self.choice else None

    @property
    def stale(self) -> bool:
        """Whether the candles gave no price to believe."""
        return self.window is None or beyond_belief(self.window)

    def grounds(self, slot: int, proposal: Proposal | None = None, opinion: Opinion | None = None) -> Grounds:
        candles = self.window.candles if self.window else None
        grounds = grounds_of(slot, self.signal, candles, position=self.position, proposal=proposal)
        return grounds if opinion is None else replace(grounds, opinion=opinion)


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a tick. ``stored``: its decision was written together with its order; ``final``: ticking the slot
    again would change nothing; ``opinion``: what was said of an entry that never came before the gate; ``later``: what
    the AI is asked once everything is done."""

    outcome: Outcome
    reason: str
    stored: bool = False
    final: bool = False
    opinion: Opinion | None = None
    later: AskLater | None = None


def beyond_belief(window: Window) -> bool:
    """Whether the last candle is missing, or its prices cannot be believed."""
    return not window.fresh or implausible(window.candles)


def live_price(this: Pass, instrument: Instrument) -> Price | None:
    """The last trade's price, for what is held while its candles cannot be had: the freshest price there is."""
    found = this.platform.fetcher.prices([instrument.symbol]).get(instrument.symbol)
    if found is None or not _is_live(this, found.at_ms):
        return None
    return Price(instrument.round_price(found.price), found.at_ms)


def marked_live(this: Pass, position: Position) -> bool:
    """Whether the guard has valued the position a moment ago."""
    return position.marked_at is not None and _is_live(this, ms_of(position.marked_at))


def _is_live(this: Pass, at_ms: int) -> bool:
    return abs(this.now.market_ms - at_ms) <= round(LIVE_PRICE_MAX_AGE_WALL_MS * this.platform.clock.speed)
