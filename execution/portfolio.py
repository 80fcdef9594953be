"""Rows -> the frozen ``Exposure`` that the checks take, read under the portfolio lock."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from bots.live import why_not_live
from bots.models import Bot
from execution.clean import why_not_clean
from execution.models import AssetBalance, AssetExposure, BotBook, Order, Portfolio, Position, Purpose
from execution.states import LIVE_POSITION
from execution.totals import bot_equity, equity, free_cash
from market.clock import Now, ms_of
from market.clock_offset import Offset
from market.exchange import Quote
from market.instruments import Instrument
from market.money import ZERO, exact, exact_sum
from market.slots import slot_at
from risk.deadman import clock_problem, present_stage, pull
from risk.deadman_stage import Stage
from risk.halts import open_halts
from risk.limit_changes import limits_at_gate
from risk.limits import BotLimits, PortfolioLimits
from risk.verdicts import Entry, Exposure, Proposal


@dataclass(frozen=True, slots=True)
class Pricing:
    """How the proposal was priced: what the exchange allows, the close that the strategy decided on, the live quote,
    how far the exchange's clock is from ours, and how long a quote and the marks of what is held may be believed
    (milliseconds of market time)."""

    instrument: Instrument
    trusted_price: Decimal
    quote: Quote
    clock: Offset
    stale_after_ms: int
    marks_stale_after_ms: int = 30_000


MINUTE = timedelta(minutes=1)

DEFINITION = (
    "account_id",
    "symbol",
    "timeframe",
    "strategy",
    "parameters",
    "capital",
    "ai_mode",
    "ai_on_failure",
)
"""What a proposal was made for: a bot that was edited since its tick began enters in its next slot."""


def read_exposure(
    portfolio: Portfolio,
    bot: Bot,
    as_decided: Bot,
    proposal: Proposal,
    pricing: Pricing,
    now: Now,
    candle_ms: int | None = None,
) -> Exposure:
    """Everything the checks look at. Call it inside the gate's transaction, after the lock.

    ``bot`` is read after the lock, ``as_decided`` is what the tick decided with: what an operator or a check did to the
    bot in between counts. ``candle_ms``: open time of the closed candle that was decided on. Books changes of limits
    that are due.
    """
    book: BotBook = bot.book
    own_equity = bot_equity(bot, book)
    limits = limits_at_gate(bot, proposal.account_id, now)
    live = list(_live_exposures(bot.pk))
    return Exposure(
        bot_capital=bot.capital,
        bot_equity=own_equity,
        bot_peak_equity=max(book.peak_equity, own_equity),
        bot_day_start_equity=book.day_start_equity,
        bot_position_notional=exact_sum(live),
        loss_streak=book.loss_streak,
        account_equity=equity(portfolio),
        account_peak_equity=max(portfolio.peak_equity, equity(portfolio)),
        total_exposure=portfolio.exposure,
        asset_exposure=_asset_exposure(portfolio, proposal.base),
        free_cash=_spendable(portfolio, proposal.quote),
        halts=_why_stopped(bot, as_decided, now) + open_halts(proposal.account_id, bot.pk, now),
        trusted_price=pricing.trusted_price,
        bid=pricing.quote.bid,
        priced_at_ms=pricing.quote.at_ms,
        clock=pricing.clock,
        now_ms=now.market_ms,
        stale_after_ms=pricing.stale_after_ms,
        holds=portfolio.cost != 0,
        marked_at_ms=None if portfolio.marked_at is None else ms_of(portfolio.marked_at),
        marks_stale_after_ms=pricing.marks_stale_after_ms,
        bot_live_positions=len(live),
        last_entry=_last_entry(bot, proposal.symbol),
        candle_ms=candle_ms,
        bot_orders=_orders_lately(now, limits.bot, bot_id=bot.pk),
        account_orders=_orders_lately(now, limits.portfolio, account_id=proposal.account_id),
        dead_man_triggered=pull(now),
        bot_limits=limits.bot,
        portfolio_limits=limits.portfolio,
        limit_faults=limits.faults,
        instrument=pricing.instrument,
    )


def why_doomed(as_decided: Bot, now: Now) -> str:
    """What would refuse any entry of the bot, by a look without the lock; empty when nothing is known of.

    It saves work and permits nothing: the gate looks again. Changes nothing, the switch is not latched.
    """
    bot = Bot.objects.select_related("account").get(pk=as_decided.pk)
    if present_stage(now.wall_at) is Stage.TRIGGERED:
        return "the dead man's switch has triggered"
    return "; ".join((*_why_stopped(bot, as_decided, now), *open_halts(bot.account_id, bot.pk, now)))


def _live_exposures(bot_id: int) -> Iterable[Decimal]:
    return Position.objects.filter(bot_id=bot_id, status__in=list(LIVE_POSITION)).values_list("exposure", flat=True)


def _asset_exposure(portfolio: Portfolio, asset: str) -> Decimal:
    row = AssetExposure.objects.filter(portfolio=portfolio, asset=asset).first()
    return row.exposure if row else ZERO


def _why_stopped(bot: Bot, as_decided: Bot, now: Now) -> tuple[str, ...]:
    changed = [name for name in DEFINITION if getattr(bot, name) != getattr(as_decided, name)]
    edited = (f"bot {bot.name} was edited during its tick ({', '.join(changed)})",) if changed else ()
    stopped = "" if bot.may_enter else f"bot {bot.name} is {bot.status}"
    found = (stopped, clock_problem(now), why_not_live(bot), why_not_clean(bot.account, now))
    return (*filter(None, found), *edited)


def _spendable(portfolio: Portfolio, quote: str) -> Decimal:
    """What is free by the totals, and is there by the balance too: fees in other assets are in one of them only."""
    balance = AssetBalance.objects.filter(account_id=portfolio.account_id, asset=quote).first()
    with exact():
        there = balance.amount - portfolio.reserved if balance else ZERO
    return min(free_cash(portfolio), there)


def _last_entry(bot: Bot, symbol: str) -> Entry | None:
    """The bot's latest entry, in slots of its present timeframe: a slot of a shorter one has a larger number, and then
    counts as the slot in which it was made."""
    orders = Order.objects.filter(bot=bot, purpose=Purpose.ENTRY).order_by("-market_at", "-pk")
    row = orders.values_list("market_at", "position__entry_slot", "symbol", "decision__candle").first()
    if row is None:
        return None
    made_at, slot, of_symbol, candle = row
    made_in = slot_at(ms_of(made_at), bot.interval_s)
    return Entry(min(slot, made_in), (candle or {}).get("opened_ms") if of_symbol == symbol else None)


def _orders_lately(now: Now, limits: BotLimits | PortfolioLimits | None, **whose: int) -> int:
    """Orders of the last minute, counted to just beyond the limit; all times after now count too."""
    most = 0 if limits is None else limits.max_orders_per_minute
    lately = Order.objects.filter(market_at__gt=now.market_at - MINUTE, **whose).order_by()
    return lately[: most + 1].count()
