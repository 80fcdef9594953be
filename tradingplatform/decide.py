"""What to do with what is known: exits first, then the strategy. PURE.

The same function decides in live ticks, on paper and in a backtest.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from bots.strategies.base import Action, Signal, Strategy
from market.candles import Candles
from market.instruments import Instrument
from market.trust import believed, implausible, why_not_trusted
from risk.exits import ExitCall, ExitReason, review_exits, review_price
from risk.limits import BotLimits
from risk.sizing import size
from risk.verdicts import Proposal


@dataclass(frozen=True, slots=True)
class Subject:
    """The bot that decides, in figures (quote). ``no_entry`` says why it may not enter; empty when it may."""

    bot_id: int
    account_id: int
    instrument: Instrument
    interval_s: int
    capital: Decimal
    equity: Decimal
    loss_streak: int
    limits: BotLimits
    no_entry: str = ""


@dataclass(frozen=True, slots=True)
class Held:
    """The open position. ``candle_ms``: open time of the candle it was entered in; ``since_ms``: market time of its
    first fill, inside that candle."""

    stop_price: Decimal
    target_price: Decimal | None
    candle_ms: int
    since_ms: int


@dataclass(frozen=True, slots=True)
class Enter:
    """Enter, if a price can be had and the risk allows it: ``propose`` makes the proposal."""

    signal: Signal


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
    act: Enter | Close | Nothing


def decide(
    subject: Subject,
    held: Held | None,
    strategy: Callable[[], Strategy],
    candles: Candles,
    live_price: Decimal | None = None,
) -> Choice:
    """The choice after the last closed candle.

    ``strategy`` makes the strategy, and is called when stop and target have been looked at: a strategy that cannot be
    made any more must not keep a position from its stop. ``live_price`` is given where the last candle is missing or
    not believed: what is held is then judged by it too.
    """
    call = None if held is None else _exit_call(held, believed(candles), live_price)
    last_price = _last_price(subject, candles) if live_price is None else live_price
    if call is not None and last_price is not None:
        return Choice(None, Close(call.reason, last_price, f"{call.reason.lower()} reached at {call.price}"))
    if last_price is None or not len(candles):
        return Choice(None, Nothing("no candles"))
    wanting = strategy()
    signal = wanting.evaluate(candles)
    if signal.action is Action.EXIT and held is not None and implausible(candles):
        return Choice(signal, Nothing(f"{signal.reason}; the last candle's jump is not believed"))
    if signal.action is Action.EXIT and held is not None:
        return Choice(signal, Close(ExitReason.STRATEGY, last_price, signal.reason))
    if signal.action is Action.EXIT:
        return Choice(signal, Nothing(f"{signal.reason}; nothing to exit"))
    if signal.action is not Action.ENTER:
        return Choice(signal, Nothing(signal.reason))
    if held is not None:
        return Choice(signal, Nothing(f"{signal.reason}; a position is held already"))
    why_not = subject.no_entry or why_not_trusted(candles, wanting.longest_period, subject.interval_s)
    return Choice(signal, Nothing(f"no entry: {why_not}") if why_not else Enter(signal))


def propose(subject: Subject, signal: Signal, worst_price: Decimal, slot: int) -> Proposal | Nothing:
    """An entry signal, sized for the most that a unit may cost now (quote, slippage included)."""
    instrument = subject.instrument
    stop = None if signal.stop is None else instrument.price_from_float(signal.stop)
    target = None if signal.target is None else instrument.price_from_float(signal.target)
    sized = size(subject.capital, subject.equity, worst_price, stop, subject.loss_streak, subject.limits, instrument)
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
        reference_price=worst_price,
        stop_price=stop,
        target_price=target,
        reason=f"{signal.reason}; {sized.why}",
    )


def _last_price(subject: Subject, candles: Candles) -> Decimal | None:
    return subject.instrument.price_from_float(float(candles.close[-1])) if len(candles) else None


def _exit_call(held: Held, candles: Candles, live_price: Decimal | None) -> ExitCall | None:
    """Whether stop or target was reached: by the candles since the entry, else by the live price."""
    call = review_exits(held.stop_price, held.target_price, candles.since(held.candle_ms), held.since_ms)
    if call is None and live_price is not None:
        return review_price(held.stop_price, held.target_price, live_price)
    return call
