"""Bots: how they tick, and how near each is to its own limits. Three queries, whatever there is."""

from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal

from prometheus_client.core import Metric

from bots.models import Bot, BotStatus
from execution.models import BotBook, Position
from execution.states import LIVE_POSITION, PositionStatus
from execution.totals import bot_equity
from market.clock import Clock, Now
from market.money import ZERO, exact, ratio
from market.slots import slot_at, slot_start_ms
from risk.models import BotRiskLimits
from tradingplatform.metrics.families import Sample, age_s, counter, gauge


def bot_metrics(clock: Clock, now: Now) -> Iterator[Metric]:
    bots = list(Bot.objects.select_related("book", "limits").order_by("pk"))
    held = _held()
    by_status = Counter(bot.status for bot in bots)
    yield gauge("trading_bots", "Bots by status", ("status",), [((s,), by_status[s]) for s in BotStatus.values])
    yield counter("trading_ticks", "Finished ticks", ("bot",), [((bot.name,), bot.ticks) for bot in bots])
    failed: list[Sample] = [((bot.name,), bot.ticks_failed) for bot in bots]
    yield counter("trading_ticks_failed", "Ticks that ended in an error", ("bot",), failed)
    ticking = [bot for bot in bots if bot.status != BotStatus.STOPPED]
    ages: list[Sample] = [((bot.name,), age_s(bot.last_tick_at, now.wall_at)) for bot in ticking]
    yield gauge("trading_tick_age_seconds", "Wall seconds since a bot's last finished tick", ("bot",), ages)
    lags: list[Sample] = [((bot.name,), _lag_s(bot, clock, now)) for bot in ticking]
    yield gauge("trading_tick_lag_seconds", "Wall seconds by which a bot's tick is late; 0: in time", ("bot",), lags)
    equities: list[Sample] = [((bot.name,), float(bot_equity(bot, bot.book))) for bot in bots if _has_book(bot)]
    yield gauge("trading_bot_equity", "Equity of a bot at the last marks, in quote", ("bot",), equities)
    yield gauge(
        "trading_bot_limit_used_ratio",
        "How much of a bot's limit is used; 1: its check refuses",
        ("bot", "limit"),
        [sample for bot in bots for sample in _used(bot, held.get(bot.pk, ZERO))],
    )
    yield _positions()


def _held() -> dict[int, Decimal]:
    """Exposure of each bot's live position, in quote."""
    live = Position.objects.filter(status__in=list(LIVE_POSITION)).order_by()
    return dict(live.values_list("bot_id", "exposure"))


def _positions() -> Metric:
    """Only what lives: what is over grows without end, and the fills are counted by the exchange."""
    live = [PositionStatus.OPENING, PositionStatus.OPEN, PositionStatus.CLOSING]
    by_status = Counter(Position.objects.filter(status__in=live).order_by().values_list("status", flat=True))
    return gauge("trading_positions", "Live positions", ("status",), [((s.value,), by_status[s.value]) for s in live])


def _lag_s(bot: Bot, clock: Clock, now: Now) -> float:
    """Since the slot that it has not claimed should have been ticked; a bot that never ticked waits for its first."""
    slot = slot_at(now.market_ms, bot.interval_s)
    if bot.last_slot < 0 or bot.last_slot >= slot:
        return 0.0
    due_ms = slot_start_ms(bot.last_slot + 1, bot.interval_s) + bot.stagger_s * 1000
    return max(0.0, (now.market_ms - due_ms) / 1000 / clock.speed)


def _has_book(bot: Bot) -> bool:
    return hasattr(bot, "book")


def _used(bot: Bot, held: Decimal) -> Iterable[Sample]:
    """A bot without book or limits enters nothing, and has nothing to show."""
    if not (_has_book(bot) and hasattr(bot, "limits")):
        return
    book: BotBook = bot.book
    limits: BotRiskLimits = bot.limits
    with exact():
        equity = bot_equity(bot, book)
        peak = max(book.peak_equity, equity)
        parts = {
            "max_position": (held, limits.max_position * bot.capital),
            "drawdown": (peak - equity, limits.max_drawdown * peak),
            "daily_loss": (max(ZERO, book.day_start_equity - equity), limits.max_daily_loss * bot.capital),
        }
    for limit, (used, most) in parts.items():
        yield (bot.name, limit), float(ratio(used, most))
