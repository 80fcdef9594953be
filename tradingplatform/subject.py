"""Rows -> the frozen values that deciding takes, and what it looked at -> what is stored with the decision."""

from decimal import Decimal

from bots.models import Bot
from bots.strategies.base import Signal
from execution.models import BotBook, Position
from execution.totals import bot_equity
from market.candles import Candles
from market.clock import Now, ms_of
from market.instruments import Instrument
from market.money import canonical
from market.slots import slot_at, slot_start_ms
from risk.decisions import Grounds
from risk.limit_changes import UnusableLimits, bot_limits_now
from risk.limits import BotLimits
from risk.verdicts import Proposal
from tradingplatform.decide import Held, Subject

HELD = ("quantity", "cost", "entry_price", "stop_price", "target_price", "mark_price", "unrealised")
PROPOSED = ("amount", "normal_amount", "reference_price", "notional", "stop_price", "target_price")


def subject_of(bot: Bot, book: BotBook, instrument: Instrument, no_entry: str, now: Now) -> Subject:
    """The bot in figures. ``no_entry`` says why it may not enter, empty when it may."""
    try:
        limits = bot_limits_now(bot, now)
    except UnusableLimits:
        limits = BotLimits()  # only to size the proposal: the gate refuses it, and says why
    return Subject(
        bot_id=bot.pk,
        account_id=bot.account_id,
        instrument=instrument,
        interval_s=bot.interval_s,
        capital=bot.capital,
        equity=bot_equity(bot, book),
        loss_streak=book.loss_streak,
        limits=limits,
        no_entry=no_entry,
    )


def held_by(bot: Bot, position: Position | None) -> Held | None:
    """The open position, None when there is none."""
    if position is None:
        return None
    since_ms = ms_of(position.opened_at or position.created_at)
    entered_in = max(position.entry_slot, slot_at(since_ms, bot.interval_s))  # a slow fill falls into a later candle
    return Held(
        stop_price=position.stop_price,
        target_price=position.target_price,
        candle_ms=slot_start_ms(entered_in, bot.interval_s),
        since_ms=since_ms,
    )


def grounds_of(
    slot: int,
    signal: Signal | None,
    candles: Candles | None,
    *,
    position: Position | None = None,
    proposal: Proposal | None = None,
) -> Grounds:
    """What a slot was decided on, as JSON values; nothing where there was nothing to look at.

    What was held and what was proposed stand beside the signal: the rows of both go on changing, or never were.
    """
    said: dict[str, object] = {}
    if signal is not None:
        said = {"action": signal.action, "reason": signal.reason, "indicators": dict(signal.indicators)}
        said |= {"stop": signal.stop, "target": signal.target}
    if position is not None:
        said["held"] = {"id": position.pk, "status": position.status, **_figures(position, HELD)}
    if proposal is not None:
        said["proposal"] = _figures(proposal, PROPOSED)
    if candles is None or not len(candles):
        return Grounds(slot=slot, signal=said)
    names = ("open", "high", "low", "close", "volume")
    prices = {name: float(column[-1]) for name, column in zip(names, candles.prices(), strict=True)}
    return Grounds(slot=slot, signal=said, candle={"opened_ms": candles.last_opened_ms, **prices})


def _figures(of: Position | Proposal, names: tuple[str, ...]) -> dict[str, str | None]:
    """Money as exact strings."""
    figures: dict[str, Decimal | None] = {name: getattr(of, name) for name in names}
    return {name: None if figure is None else canonical(figure) for name, figure in figures.items()}
