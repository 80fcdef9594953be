"""One pass of one bot: all I/O of a tick, in order. Deciding is in decide.py, permission in risk, orders in execution.

claim the slot -> settle unfinished orders -> closed candles -> decide -> review and order -> mark, snapshot, release.
"""

import time
from dataclasses import dataclass

import structlog
from django.db import transaction

from bots.lifecycle import Claim, claim_tick, is_late, release, why_not_claimed
from bots.models import Bot
from bots.strategies.base import Signal
from bots.strategies.registry import build
from execution.executors import BaseExecutor
from execution.lock import under_portfolio_lock
from execution.marking import bot_equity, mark, open_day, snapshot_bot
from execution.models import BotBook, Portfolio, Position
from execution.portfolio import Pricing
from execution.reconcile import settle_orders
from execution.states import LIVE_POSITION, PositionStatus
from execution.submit import Exit, enter, leave
from market.candles import Candles
from market.clock import Now, moment
from market.fetcher import Window
from market.instruments import Instrument
from market.slots import slot_at, slot_start_ms
from notifications.events import publish
from notifications.models import Severity
from risk.decisions import Grounds, write_decision
from risk.limits import BotLimits
from risk.models import BotRiskLimits, Decision, Outcome
from risk.verdicts import Approved, Proposal
from tradingplatform.decide import Choice, Close, Held, Nothing, Subject, decide
from tradingplatform.holder import new_token
from tradingplatform.logs import log_context
from tradingplatform.wiring import Platform

log = structlog.get_logger()

PRICE_MAX_AGE_MS = 300_000
"""Market time for which the close of a candle may price an entry, but never less than PRICE_MAX_AGE_WALL_MS."""

PRICE_MAX_AGE_WALL_MS = 5_000


@dataclass(frozen=True, slots=True)
class Pass:
    """What one tick works with."""

    platform: Platform
    bot: Bot
    slot: int
    claim: Claim
    now: Now

    @property
    def book(self) -> BotBook:
        return self.bot.book


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a tick, for its log line and, where none is stored yet, its decision row."""

    outcome: Outcome
    reason: str
    stored: bool = False  # the decision was written together with its order
    holds: bool = False  # the bot has, or may by now have, a position to value
    stale: bool = False  # the candles were not the latest


def run(platform: Platform, bot_id: int, now: Now) -> None:
    """Tick a bot for the slot that ``now`` lies in. A slot that is claimed already, or a tick that still runs, ends it
    here. Whatever goes wrong is stored and logged, and touches no other bot."""
    bot = Bot.objects.select_related("account", "book", "limits").filter(pk=bot_id).first()
    if bot is None:
        log.info("tick_without_bot")
        return
    slot = slot_at(now.market_ms, bot.interval_s)
    claim = claim_tick(bot.pk, slot, now, new_token())
    if claim is None:
        log.info("tick_not_claimed", bot=bot.name, slot=slot, reason=why_not_claimed(bot.pk, slot, now))
        return
    with log_context(bot=bot.name, slot=slot, tick=claim.token, market_at=now.market_at.isoformat()):
        _run_claimed(Pass(platform, bot, slot, claim, now))


def _run_claimed(this: Pass) -> None:
    started = time.perf_counter()
    try:
        window, choice, result = _decide_and_act(this)
        _finish(this, window, choice, result)
    except Exception as error:
        log.exception("tick_failed", error=f"{type(error).__name__}: {error}")
        _fail(this, f"{type(error).__name__}: {error}")
        return
    log.info(
        "tick",
        outcome=result.outcome,
        reason=result.reason,
        signal=choice.signal.action if choice and choice.signal else None,
        candles=window.source if window else None,
        ms=round((time.perf_counter() - started) * 1000, 2),
    )


def _decide_and_act(this: Pass) -> tuple[Window | None, Choice | None, Result]:
    executor = this.platform.executor(this.bot.account)
    open_day(this.bot, this.book, this.now)
    position = _live_position(this.bot)
    if position is not None and position.status != PositionStatus.OPEN:
        if not settle_orders(this.bot.pk, executor, this.now):
            return None, None, Result(Outcome.SKIPPED, "an order's outcome is not known yet", holds=True)
        this.book.refresh_from_db()
        position = _live_position(this.bot)
    instrument = this.platform.instruments().get(this.bot.symbol)
    if instrument is None:
        return None, None, Result(Outcome.SKIPPED, f"{this.bot.symbol} is not traded at the exchange")
    window = this.platform.fetcher.closed_candles(this.bot.symbol, this.bot.timeframe, this.slot)
    if not len(window.candles):
        return window, None, Result(Outcome.SKIPPED, f"no candles: {window.reason}", stale=True)
    choice = decide(
        _subject(this, instrument, window),
        _held(position, this.bot),
        build(this.bot.strategy, this.bot.parameters),
        window.candles,
        this.slot,
    )
    return window, choice, _act(this, position, instrument, window, choice, executor)


def _live_position(bot: Bot) -> Position | None:
    return Position.objects.filter(bot=bot, status__in=list(LIVE_POSITION)).first()


def _subject(this: Pass, instrument: Instrument, window: Window) -> Subject:
    bot = this.bot
    try:
        limits = bot.limits.value()
    except BotRiskLimits.DoesNotExist:
        limits = BotLimits()  # only to size the proposal: the gate refuses it for want of the row
    return Subject(
        bot_id=bot.pk,
        account_id=bot.account_id,
        instrument=instrument,
        capital=bot.capital,
        equity=bot_equity(bot, this.book),
        loss_streak=this.book.loss_streak,
        limits=limits,
        no_entry=_why_no_entry(this, window),
    )


def _why_no_entry(this: Pass, window: Window) -> str:
    """Paused and halted bots, late ticks and stale candles manage exits only."""
    bot = this.bot
    if not bot.may_enter:
        return f"the bot is {bot.status}"
    if is_late(this.slot, bot.interval_s, bot.stagger_s, this.now, this.platform.clock.speed):
        return "the tick is late"
    return "" if window.fresh else f"stale candles: {window.reason}"


def _held(position: Position | None, bot: Bot) -> Held | None:
    if position is None:
        return None
    # Entered during the candle that opened with the entry's slot: that candle is the first that can hit the stop.
    since_ms = slot_start_ms(position.entry_slot, bot.interval_s)
    return Held(position.stop_price, position.target_price, since_ms)


def _act(
    this: Pass,
    position: Position | None,
    instrument: Instrument,
    window: Window,
    choice: Choice,
    executor: BaseExecutor,
) -> Result:
    grounds = _grounds(this.slot, choice.signal, window.candles)
    match choice.act:
        case Proposal() as proposal:
            verdict = enter(this.bot, proposal, _pricing(this, instrument, window), grounds, executor, this.now)
            if isinstance(verdict, Approved):
                return Result(Outcome.APPROVED, proposal.reason, stored=True, holds=True)
            return Result(Outcome.REFUSED, verdict.reason, stored=True)
        case Close(reason, price, text) if position is not None:
            leave(position, Exit(reason, text, price), instrument, grounds, executor, this.now)
            return Result(Outcome.EXIT, text, stored=True, holds=True)
        case Nothing(reason):
            return Result(Outcome.NOTHING, reason, holds=position is not None, stale=not window.fresh)
    raise AssertionError(f"{choice.act} without a position")


def _pricing(this: Pass, instrument: Instrument, window: Window) -> Pricing:
    opened_ms = window.candles.last_opened_ms or 0
    return Pricing(
        instrument=instrument,
        priced_at_ms=opened_ms + this.bot.interval_s * 1000,
        stale_after_ms=max(PRICE_MAX_AGE_MS, round(PRICE_MAX_AGE_WALL_MS * this.platform.clock.speed)),
    )


def _grounds(slot: int, signal: Signal | None, candles: Candles) -> Grounds:
    said: dict[str, object] = {}
    if signal is not None:
        said = {"action": signal.action, "reason": signal.reason, "indicators": dict(signal.indicators)}
        said |= {"stop": signal.stop, "target": signal.target}
    names = ("open", "high", "low", "close", "volume")
    candle: dict[str, object] = {name: float(column[-1]) for name, column in zip(names, candles.prices(), strict=True)}
    return Grounds(slot=slot, signal=said, candle={"opened_ms": candles.last_opened_ms, **candle})


def _finish(this: Pass, window: Window | None, choice: Choice | None, result: Result) -> None:
    """Mark what is still open, keep equity and decision, release the lease: one transaction."""
    candles = window.candles if window is not None else None
    signal = choice.signal if choice else None
    grounds = _grounds(this.slot, signal, candles) if candles is not None and len(candles) else Grounds(this.slot)

    def finish(portfolio: Portfolio | None) -> None:
        book = this.book
        if portfolio is not None and candles is not None:
            book = _mark_open(this, portfolio, candles)
        snapshot_bot(this.bot, book, this.now, stale=result.stale)
        if not result.stored:
            write_decision(this.bot, grounds, result.outcome, result.reason, this.now)
        release(this.claim, this.now, failed=False)

    if result.holds:
        under_portfolio_lock(this.bot.account_id, finish)
    else:
        with transaction.atomic():
            finish(None)


def _mark_open(this: Pass, portfolio: Portfolio, candles: Candles) -> BotBook:
    """The bot's book after its open position, if it has one, was valued at the last close."""
    position = _live_position(this.bot)
    instrument = this.platform.instruments().get(this.bot.symbol)
    if position is not None and instrument is not None and len(candles):
        closed_at = moment((candles.last_opened_ms or 0) + this.bot.interval_s * 1000)
        mark(portfolio, position.pk, instrument.price_from_float(float(candles.close[-1])), closed_at)
    return BotBook.objects.get(bot=this.bot)


def _fail(this: Pass, reason: str) -> None:
    """Store that the tick failed. When even that fails (no database), the lease runs out by itself."""
    try:
        with transaction.atomic():
            if not Decision.objects.filter(bot=this.bot, slot=this.slot).exists():
                write_decision(this.bot, Grounds(this.slot), Outcome.FAILED, reason, this.now)
            publish(
                "tick_failed",
                f"{this.bot.name}: {reason}",
                severity=Severity.WARNING,
                bot_id=this.bot.pk,
                payload={"slot": this.slot},
                market_at=this.now.market_at,
                wall_at=this.now.wall_at,
            )
            release(this.claim, this.now, failed=True)
    except Exception as error:
        log.exception("tick_failure_not_stored", error=f"{type(error).__name__}: {error}")
