"""What a tick decides, as a table: exits first, then the strategy, entries only where they may be."""

from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar

import pytest

from bots.strategies.base import Action, Parameters, Signal, Strategy
from risk.exits import ExitReason
from risk.limits import BotLimits
from risk.verdicts import Proposal
from tests.factories import SLOT_0, instrument
from tests.fakes import candles_of
from tradingplatform.decide import Close, Enter, Held, Nothing, Subject, decide, propose


@dataclass
class Says(Strategy):
    """A strategy that always says the same."""

    signal: Signal
    name: ClassVar[str] = "says"
    title: ClassVar[str] = "says"
    Parameters: ClassVar[type[Parameters]] = Parameters
    longest_period: ClassVar[int] = 1

    def columns(self, candles):
        return {}

    def at(self, candles, columns, i):
        return self.signal

    def evaluate(self, candles):
        return self.signal


ENTER = Signal(Action.ENTER, "buy", {}, stop=98.0, target=106.0)
EXIT = Signal(Action.EXIT, "enough")
HOLD = Signal(Action.HOLD, "nothing to see")
SUBJECT = Subject(1, 1, instrument(), 900, Decimal(5000), Decimal(5000), 0, BotLimits())
QUIET = candles_of([100.0, 101.0, 100.0], SLOT_0 - 1, 900)
SINCE = (SLOT_0 - 2) * 900_000
HELD = Held(Decimal(95), Decimal(110), SINCE, SINCE)


@pytest.mark.parametrize(
    ("signal", "held", "no_entry", "expected"),
    [
        (HOLD, None, "", Nothing("nothing to see")),
        (EXIT, None, "", Nothing("enough; nothing to exit")),
        (EXIT, HELD, "", Close(ExitReason.STRATEGY, Decimal(100), "enough")),
        (EXIT, HELD, "the bot is PAUSED", Close(ExitReason.STRATEGY, Decimal(100), "enough")),
        (ENTER, HELD, "", Nothing("buy; a position is held already")),
        (ENTER, None, "the bot is PAUSED", Nothing("no entry: the bot is PAUSED")),
        (HOLD, HELD, "", Nothing("nothing to see")),
    ],
)
def test_choice(signal, held, no_entry, expected):
    choice = decide(replace(SUBJECT, no_entry=no_entry), held, lambda: Says(signal), QUIET)
    assert choice.act == expected
    assert choice.signal == signal


def test_an_entry_becomes_a_sized_proposal_that_carries_its_stop():
    assert decide(SUBJECT, None, lambda: Says(ENTER), QUIET).act == Enter(ENTER)
    act = propose(SUBJECT, ENTER, Decimal(100), SLOT_0)
    assert isinstance(act, Proposal)
    assert (act.stop_price, act.target_price, act.reference_price) == (Decimal(98), Decimal(106), Decimal(100))
    assert act.notional <= Decimal(1250)
    assert act.slot == SLOT_0


@pytest.mark.parametrize(
    ("closes", "reason"),
    [
        ([100.0, 94.0, 100.0], ExitReason.STOP),
        ([100.0, 111.0, 100.0], ExitReason.TARGET),
        ([100.0, 111.0, 94.0], ExitReason.TARGET),  # the target's candle came first
        ([100.0, 94.0, 111.0], ExitReason.STOP),
    ],
)
def test_stop_and_target_come_before_the_strategy_is_asked(closes, reason):
    choice = decide(SUBJECT, HELD, lambda: Says(EXIT), candles_of(closes, SLOT_0 - 1, 900))
    assert choice.signal is None
    assert isinstance(choice.act, Close)
    assert choice.act.reason is reason


def test_candles_before_the_entry_cannot_stop_it():
    """The low of the candle before the entry's own lies below the stop; it happened to somebody else."""
    history = candles_of([100.0, 90.0, 100.0, 100.0], SLOT_0 - 1, 900)
    entered = (SLOT_0 - 1) * 900_000
    held = replace(HELD, candle_ms=entered, since_ms=entered + 5_000)
    assert isinstance(decide(SUBJECT, held, lambda: Says(HOLD), history).act, Nothing)


def test_what_cannot_be_sized_is_nothing_and_says_why():
    poor = replace(SUBJECT, capital=Decimal("0.5"), equity=Decimal("0.5"))
    act = propose(poor, ENTER, Decimal(100), SLOT_0)
    assert isinstance(act, Nothing)
    assert act.reason.startswith("no size:")


BAD_LOW = candles_of([100.0, 101.0, 100.0, 40.0], SLOT_0, 900)  # less than half of the close before
BAD_HIGH = candles_of([100.0, 101.0, 100.0, 1000.0], SLOT_0, 900)
NONE = QUIET[:0]


@pytest.mark.parametrize(
    ("candles", "live", "expected"),
    [
        (BAD_LOW, None, Nothing("nothing to see")),  # the low calls no stop: nobody believes it yet
        (BAD_LOW, "99", Nothing("nothing to see")),
        (BAD_LOW, "94", Close(ExitReason.STOP, Decimal(94), "stop reached at 94")),
        (BAD_HIGH, None, Nothing("nothing to see")),
        (BAD_HIGH, "111", Close(ExitReason.TARGET, Decimal(111), "target reached at 111")),
        (QUIET, "95", Close(ExitReason.STOP, Decimal(95), "stop reached at 95")),
        (QUIET, "95.01", Nothing("nothing to see")),
        (NONE, "94", Close(ExitReason.STOP, Decimal(94), "stop reached at 94")),
        (NONE, "100", Nothing("no candles")),
        (NONE, None, Nothing("no candles")),
    ],
)
def test_what_is_held_is_judged_by_the_live_price_where_candles_cannot_be_believed(candles, live, expected):
    live_price = None if live is None else Decimal(live)
    assert decide(SUBJECT, HELD, lambda: Says(HOLD), candles, live_price).act == expected


def test_a_candle_that_is_not_believed_makes_no_strategy_sell():
    act = decide(SUBJECT, HELD, lambda: Says(EXIT), BAD_HIGH).act
    assert act == Nothing("enough; the last candle's jump is not believed")


def test_a_crash_that_the_next_candle_confirms_is_obeyed():
    crashed = candles_of([100.0, 101.0, 100.0, 40.0, 39.0], SLOT_0 + 1, 900)
    act = decide(SUBJECT, HELD, lambda: Says(HOLD), crashed).act
    assert isinstance(act, Close)
    assert act.reason is ExitReason.STOP


def test_without_candles_nothing_is_entered():
    assert decide(SUBJECT, None, lambda: Says(ENTER), NONE).act == Nothing("no candles")
