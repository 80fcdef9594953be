"""What to do with what is known: exits first, then the strategy. PURE.

The same function decides in live ticks, on paper and in a backtest.
"""

from dataclasses import dataclass
from decimal import Decimal

from bots.strategies.base import Action, Signal, Strategy
from market.candles import Candles
from market.instruments import Instrument
from risk.exits import ExitReason, review_exits
from risk.limits import BotLimits
from risk.sizing import size
from risk.verdicts import Proposal


@dataclass(frozen=True, slots=True)
class Subject:
    """The bot that decides, in figures (quote). ``no_entry`` says why it may not enter; empty when it may."""

    bot_id: int
    account_id: int
    instrument: Instrument
    capital: Decimal
    equity: Decimal
    loss_streak: int
    limits: BotLimits
    no_entry: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """The open position. ``since_ms``: open time of the first candle that can have reached its stop or target."""

    stop_price: Decimal
    target_price: Decimal | None
    since_ms: int


@dataclass(frozen=True, slots=True)
class Close:
    """Close the position: why, at what price it was called, and in words."""

    reason: ExitReason
    price: Decimal
    text: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """Do nothing, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class Choice:
    """What the strategy said (None: it was not asked, a stop or target came first) and what follows."""

    signal: Signal | None
    act: Proposal | Close | Nothing


def decide(subject: Subject, held: Held | None, strategy: Strategy, candles: Candles, slot: int) -> Choice:
    """The choice after the last closed candle. ``candles`` must not be empty."""
    last_price = subject.instrument.price_from_float(float(candles.close[-1]))
    if held is not None:
        call = review_exits(held.stop_price, held.target_price, candles.since(held.since_ms))
        if call is not None:
            return Choice(None, Close(call.reason, last_price, f"{call.reason.lower()} reached at {call.price}"))
    signal = strategy.evaluate(candles)
    if signal.action is Action.EXIT and held is not None:
        return Choice(signal, Close(ExitReason.STRATEGY, last_price, signal.reason))
    if signal.action is not Action.ENTER or held is not None:
        return Choice(signal, Nothing(signal.reason))
    if subject.no_entry:
        return Choice(signal, Nothing(f"no entry: {subject.no_entry}"))
    return Choice(signal, _propose(subject, signal, last_price, slot))


def _propose(subject: Subject, signal: Signal, price: Decimal, slot: int) -> Proposal | Nothing:
    instrument = subject.instrument
    stop = None if signal.stop is None else instrument.price_from_float(signal.stop)
    target = None if signal.target is None else instrument.price_from_float(signal.target)
    sized = size(subject.capital, subject.equity, price, stop, subject.loss_streak, subject.limits, instrument)
    if not sized.amount:
        return Nothing(f"no size: {sized.why}")
    return Proposal(
        bot_id=subject.bot_id,
        account_id=subject.account_id,
        slot=slot,
        symbol=instrument.symbol,
        base=instrument.base,
        quote=instrument.quote,
        amount=sized.amount,
        normal_amount=sized.normal_amount,
        reference_price=price,
        stop_price=stop,
        target_price=target,
        reason=f"{signal.reason}; {sized.why}",
    )
