"""One pass of one bot: all I/O of a tick, in order. Deciding is in decide.py, permission in risk, orders in execution.

claim the slot -> settle unfinished orders -> closed candles -> decide -> review and order -> mark, snapshot, release.
"""

from dataclasses import replace
from decimal import Decimal

import structlog
from django.db import transaction

from bots.lifecycle import AGAIN, claim_tick, free_lease, release, why_not_claimed
from bots.live import why_not_live
from bots.models import Bot
from bots.strategies.base import Signal
from bots.strategies.registry import build
from execution.breakers import fire
from execution.day_start import open_day
from execution.drive import drive, leave
from execution.executors import BaseExecutor
from execution.fills import worst_price
from execution.lock import under_portfolio_lock
from execution.marking import mark, snapshot_bot
from execution.models import BotBook, Order, Portfolio, Position, Purpose
from execution.portfolio import Pricing
from execution.record import LostRace
from execution.states import LIVE_POSITION, PositionStatus
from execution.submit import Exit, Means, enter
from market.clock import Now, moment
from market.clock_offset import Offset
from market.exchange import ExchangeError, Quote
from market.fetcher import Window
from market.instruments import Instrument
from market.slots import slot_at, slot_start_ms
from market.trust import implausible
from notifications.events import publish
from notifications.models import Severity
from risk.decisions import Grounds, forget_undecided, is_decided, write_decision
from risk.models import Decision, Outcome
from risk.opinion import shrunk
from risk.verdicts import Approved
from tradingplatform.ai.advice import after_entry, after_entry_ask, before_entry
from tradingplatform.conditions import begin_stale
from tradingplatform.decide import Choice, Close, Enter, Nothing, Subject, decide, propose
from tradingplatform.event_kinds import TickFailed
from tradingplatform.holder import new_token
from tradingplatform.leases import give_back
from tradingplatform.logs import log_context
from tradingplatform.means import bid_of, means_of
from tradingplatform.passes import Pass, Result, Seen, beyond_belief, live_price, marked_live
from tradingplatform.subject import held_by, subject_of
from tradingplatform.wiring import Platform

log = structlog.get_logger()

QUOTE_MAX_AGE_WALL_MS = 10_000
"""How old a quote may be when the gate reads it, wall time."""

MARKS_MAX_AGE_WALL_MS = 30_000
"""How old the marks of what the account holds may be then, wall time. The guard renews them every few seconds."""

UNDER_WAY = {
    PositionStatus.OPENING: "what became of its entry is not known yet",
    PositionStatus.CLOSING: "its position is being closed, and not yet sold",
}
"""Why a tick decides nothing while it is so."""

MOST_EXITS_A_SLOT = 30
"""After so many refused exits of one position in a slot, the next one waits for its slot: something needs a person."""


def run(platform: Platform, bot_id: int, now: Now) -> None:
    """Tick a bot for the slot that ``now`` lies in. A slot that is claimed already, or a tick that still runs, ends it
    here. Whatever goes wrong is stored and logged, and touches no other bot."""
    bot = _read(bot_id)
    if bot is None:
        log.info("tick_without_bot")
        return
    slot = slot_at(now.market_ms, bot.interval_s)
    claim = claim_tick(bot.pk, slot, now, new_token())
    if claim is None:
        log.debug("tick_not_claimed", bot=bot.name, slot=slot, reason=why_not_claimed(bot.pk, slot, now))
        return
    again = bool(bot.lease_token)  # AGAIN, or a tick that ran while the row was read and has ended since
    if again and bot.lease_token != AGAIN:
        bot = _read(bot_id) or bot
    decided = again and is_decided(bot.pk, slot)
    with log_context(bot=bot.name, slot=slot, tick=claim.token, market_at=now.market_at.isoformat()):
        _run_claimed(Pass(platform, bot, slot, claim, now, again, decided))


def _read(bot_id: int) -> Bot | None:
    return Bot.objects.select_related("account", "book").filter(pk=bot_id).first()


def _run_claimed(this: Pass) -> None:
    try:
        seen, result = _decide_and_act(this)
        _finish(this, seen, result)
    except Exception as error:
        log.exception("tick_failed", error=f"{type(error).__name__}: {error}")
        _fail(this, f"{type(error).__name__}: {error}")
        return
    log.info(
        "tick",
        outcome=result.outcome,
        reason=result.reason,
        signal=seen.signal.action if seen.signal else None,
        candles=seen.window.source if seen.window else None,
        ms=this.now.wall_ms - this.began.wall_ms,
    )
    if result.later is not None:
        after_entry(this, result.later)


def _decide_and_act(this: Pass) -> tuple[Seen, Result]:
    platform, bot = this.platform, this.bot
    executor = platform.executor(bot.account)
    if bot.book.day != this.now.market_at.date():
        bot.book = under_portfolio_lock(bot.account_id, lambda _: open_day(bot.pk, this.now))
    position = _live_position(bot)
    if position is not None and (position.status != PositionStatus.OPEN or executor.holds_stops):
        status = drive(position.pk, _means(this))
        if status in UNDER_WAY:
            return Seen(position), Result(Outcome.SKIPPED, UNDER_WAY[status])
        bot.book.refresh_from_db()
        position = _live_position(bot)
    try:
        instrument = platform.instrument(bot.symbol)
    except ExchangeError as error:
        return Seen(position), Result(Outcome.SKIPPED, f"the exchange's symbols are not known yet: {error}")
    if instrument is None:
        return Seen(position), Result(Outcome.SKIPPED, f"{bot.symbol} is not traded at the exchange", final=True)
    window = platform.fetcher.closed_candles(bot.symbol, bot.timeframe, this.slot)
    # A stop obeys any live price: a needless sale costs a fee, a missed one the position. Valuing is the guard's.
    live = live_price(this, instrument) if position is not None and beyond_belief(window) else None
    subject = subject_of(bot, bot.book, instrument, _why_no_entry(this, window), this.now)
    strategy = lambda: build(bot.strategy, bot.parameters)  # noqa: E731 - made only when it is asked
    choice = decide(subject, held_by(bot, position), strategy, window.candles, live.price if live else None)
    seen = Seen(position, instrument, window, choice)
    if not isinstance(choice.act, Close) and not window.fresh and not this.decided:
        return seen, Result(Outcome.SKIPPED, f"no fresh candles: {window.reason}")
    return seen, _act(this, seen, subject, choice, executor)


def _means(this: Pass, bid: Decimal | None = None) -> Means:
    """What this bot's orders are sent with. ``bid``: what the market is known to bid."""
    means = means_of(this.platform, this.bot.account, this.bot.symbol, lambda: this.now)
    return means if bid is None else replace(means, bid=lambda: bid)


def _live_position(bot: Bot) -> Position | None:
    return Position.objects.filter(bot=bot, status__in=list(LIVE_POSITION)).first()


def _why_no_entry(this: Pass, window: Window) -> str:
    """Paused and halted bots, late ticks, stale candles and decided slots manage exits only."""
    bot = this.bot
    if not bot.may_enter:
        return f"the bot is {bot.status}"
    if not_live := why_not_live(bot):
        return not_live
    if this.is_late:
        return "the tick is late"
    if this.decided:
        return "the slot is decided"
    return "" if window.fresh else f"stale candles: {window.reason}"


def _act(this: Pass, seen: Seen, subject: Subject, choice: Choice, executor: BaseExecutor) -> Result:
    match choice.act:
        case Enter(signal):
            return _enter(this, seen, subject, signal, executor)
        case Close(reason, price, text) if seen.position is not None:
            bid = bid_of(this.platform, this.bot.symbol)
            if bid is None and executor.fills_at_quotes:
                return Result(Outcome.SKIPPED, f"{text}; no price to sell at")  # rung for again until there is one
            _forget_undecided(this)
            grounds = None if this.decided else seen.grounds(this.slot)
            try:
                leave(seen.position, Exit(reason, text, price), grounds, _means(this, bid))
            except LostRace:  # an operator's or the reconciler's decision came first, and is being carried out
                return Result(Outcome.SKIPPED, f"{text}; it is being closed already")
            return Result(Outcome.EXIT, text, stored=True)
        case Nothing(reason):
            return Result(Outcome.NOTHING, reason)
    raise AssertionError(f"{choice.act} without a position")


def _enter(this: Pass, seen: Seen, subject: Subject, signal: Signal, executor: BaseExecutor) -> Result:
    """Ask the AI where the bot wants it, price the signal by what the market asks now, and bring it before the gate."""
    instrument = subject.instrument
    opinion = before_entry(this, seen, subject, signal)
    try:
        quote = this.platform.fetcher.quote(instrument.symbol)
        offset = this.platform.fetcher.clock_offset()
    except ExchangeError as error:
        reason = f"no entry: no price, or not the exchange's time: {error}"
        return Result(Outcome.NOTHING, reason, opinion=opinion)
    if this.is_late:  # it may have been in time before it asked
        return Result(Outcome.NOTHING, "no entry: the tick is late", opinion=opinion)
    proposal = propose(subject, signal, instrument.round_price_up(worst_price(quote.ask)), this.slot)
    if isinstance(proposal, Nothing):
        return Result(Outcome.NOTHING, proposal.reason, opinion=opinion)
    if opinion is not None:
        opinion = opinion.on(proposal.amount, instrument)
        proposal = shrunk(proposal, opinion)
    later = after_entry_ask(this, seen, subject, signal, proposal)
    _forget_undecided(this)
    grounds, pricing = seen.grounds(this.slot, proposal, opinion), _pricing(this, seen, instrument, quote, offset)
    verdict = enter(this.bot, proposal, pricing, grounds, executor, lambda: this.now)
    if isinstance(verdict, Approved):
        _see_to(this, executor)
        return Result(Outcome.APPROVED, proposal.reason, stored=True, later=later)
    return Result(Outcome.REFUSED, verdict.reason, stored=True)


def _pricing(this: Pass, seen: Seen, instrument: Instrument, quote: Quote, offset: Offset) -> Pricing:
    assert seen.window is not None
    speed = this.platform.clock.speed
    return Pricing(
        instrument=instrument,
        trusted_price=instrument.price_from_float(float(seen.window.candles.close[-1])),
        quote=quote,
        clock=offset,
        stale_after_ms=round(QUOTE_MAX_AGE_WALL_MS * speed),
        marks_stale_after_ms=round(MARKS_MAX_AGE_WALL_MS * speed),
    )


def _see_to(this: Pass, executor: BaseExecutor) -> None:
    """Protect what was entered a moment ago, or ask what became of it."""
    position = _live_position(this.bot)
    if position is not None and executor.holds_stops:
        drive(position.pk, _means(this))


def _finish(this: Pass, seen: Seen, result: Result) -> None:
    """Mark what is still open, keep equity and decision, release the lease: one transaction."""

    def finish(portfolio: Portfolio | None) -> None:
        book, position = this.bot.book, None
        if portfolio is not None:
            position = _mark_open(this, portfolio, seen)
            book = BotBook.objects.select_related("bot__account").get(bot=this.bot)
            fire(portfolio, [book], this.now)
        stale = seen.stale and (position is None or not marked_live(this, position))
        snapshot_bot(this.bot, book, this.now, stale=stale)
        if seen.window is not None and not seen.window.fresh and this.is_late:
            begin_stale(this.bot.symbol, this.bot.timeframe, seen.window, this.now)
        if not (result.stored or this.decided):
            _forget_undecided(this)
            grounds = seen.grounds(this.slot, opinion=result.opinion)
            write_decision(this.bot, grounds, result.outcome, result.reason, this.now)
        release(this.claim, this.now, failed=False, again=_wants_again(this, position, seen, result))

    if seen.position is not None or result.outcome is Outcome.APPROVED:
        under_portfolio_lock(this.bot.account_id, finish)
    else:
        with transaction.atomic():
            finish(None)


def _mark_open(this: Pass, portfolio: Portfolio, seen: Seen) -> Position | None:
    """The bot's live position, if it has one, valued at the last close when that can be believed."""
    position = _live_position(this.bot)
    if position is None or seen.instrument is None or seen.window is None:
        return position
    candles = seen.window.candles
    if not len(candles):
        return position
    if implausible(candles):
        log.warning("mark_not_believed", close=float(candles.close[-1]), before=float(candles.close[-2]))
        return position
    closed_at = moment((candles.last_opened_ms or 0) + this.bot.interval_s * 1000)
    price = seen.instrument.price_from_float(float(candles.close[-1]))
    return mark(portfolio, position.pk, price, closed_at)


def _wants_again(this: Pass, position: Position | None, seen: Seen, result: Result) -> bool:
    """Whether the slot should be rung for again: what is held could not be seen to, or its exit has not succeeded; or
    nothing is held, and the candles may still come in time to enter."""
    if result.final or (seen.instrument is not None and not seen.instrument.active):
        return False
    if position is None:
        return result.outcome is Outcome.SKIPPED and this.bot.may_enter and not this.is_late
    if result.outcome is Outcome.EXIT:
        return position.status != PositionStatus.OPEN or _exits_tried(this, position) < MOST_EXITS_A_SLOT
    unseen = seen.window is None or beyond_belief(seen.window)
    return unseen or position.status != PositionStatus.OPEN or result.outcome is Outcome.SKIPPED


def _exits_tried(this: Pass, position: Position) -> int:
    """How many orders have tried to close the position in this slot."""
    begun_at = moment(slot_start_ms(this.slot, this.bot.interval_s))
    return Order.objects.filter(position=position, purpose=Purpose.EXIT, market_at__gte=begun_at).count()


def _forget_undecided(this: Pass) -> None:
    if this.again and not this.decided:
        forget_undecided(this.bot.pk, this.slot)


def _fail(this: Pass, reason: str) -> None:
    """Store that the tick failed. When even that fails (no database), the lease is given back as soon as it can be."""
    try:
        with transaction.atomic():
            told = Decision.objects.filter(bot=this.bot, slot=this.slot, outcome=Outcome.FAILED).exists()
            if not is_decided(this.bot.pk, this.slot):
                forget_undecided(this.bot.pk, this.slot)
                write_decision(this.bot, Grounds(this.slot), Outcome.FAILED, reason, this.now)
            if not told:  # once for a slot, however often it is rung for again
                _tell_failure(this, reason)
            release(this.claim, this.now, failed=True, again=_live_position(this.bot) is not None)
    except Exception as error:
        log.exception("tick_failure_not_stored", error=f"{type(error).__name__}: {error}")
        give_back(lambda: free_lease(this.bot.pk, this.claim.token, again=True))


def _tell_failure(this: Pass, reason: str) -> None:
    publish(
        TickFailed(this.slot),
        f"{this.bot.name}: {reason}",
        severity=Severity.WARNING,
        bot_id=this.bot.pk,
        market_at=this.now.market_at,
        wall_at=this.now.wall_at,
    )
