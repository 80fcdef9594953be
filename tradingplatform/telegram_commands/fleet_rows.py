"""Bots, positions, orders and events, as frozen values. Totals are read where they are kept, never summed anew."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from bots.models import Bot, BotStatus, ExchangeAccount
from execution.clean import why_not_clean
from execution.models import BotBook, Order, Portfolio, Position
from execution.states import LIVE_POSITION, UNFINISHED_ORDER, PositionStatus
from execution.totals import bot_equity, equity, free_cash
from market.clock import Now
from market.money import ZERO, exact
from notifications.models import Event
from tradingplatform.alarms import conditions_lasting, halts_in_force, switch_state


@dataclass(frozen=True, slots=True)
class AccountLine:
    """One account's totals, in quote."""

    name: str
    mode: str
    quote: str
    capital: Decimal
    equity: Decimal
    peak_equity: Decimal
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    exposure: Decimal
    reserved: Decimal
    free: Decimal
    today: Decimal
    not_clean: str


@dataclass(frozen=True, slots=True)
class BotLine:
    """One bot and its book, in quote."""

    name: str
    symbol: str
    timeframe: str
    strategy: str
    status: str
    status_reason: str
    live: bool
    quote: str
    capital: Decimal
    equity: Decimal
    peak_equity: Decimal
    realised: Decimal
    unrealised: Decimal
    fees: Decimal
    today: Decimal
    wins: int
    losses: int
    loss_streak: int
    last_tick_at: datetime | None
    ticks: int
    ticks_failed: int


@dataclass(frozen=True, slots=True)
class PositionLine:
    """One live position."""

    bot: str
    symbol: str
    status: str
    quantity: Decimal
    cost: Decimal
    unrealised: Decimal
    realised: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    stop_price: Decimal
    target_price: Decimal | None
    opened_at: datetime | None


@dataclass(frozen=True, slots=True)
class Overview:
    """What /status tells."""

    now: Now
    accounts: tuple[AccountLine, ...]
    bots: dict[str, int]
    positions: int
    orders: int
    switch: dict[str, Any]
    halts: list[dict[str, Any]]
    conditions: list[dict[str, str]]
    last_tick_at: datetime | None
    ticks_failed: int


def overview(now: Now) -> Overview:
    bots = Bot.objects.values_list("status", "last_tick_at", "ticks_failed")
    rows = list(bots)
    return Overview(
        now=now,
        accounts=accounts(now),
        bots={**dict.fromkeys(BotStatus.values, 0), **Counter(status for status, _, _ in rows)},
        positions=Position.objects.filter(status__in=list(LIVE_POSITION)).count(),
        orders=Order.objects.filter(status__in=list(UNFINISHED_ORDER)).count(),
        switch=switch_state(now.wall_at),
        halts=halts_in_force(now),
        conditions=conditions_lasting(),
        last_tick_at=max((at for _, at, _ in rows if at is not None), default=None),
        ticks_failed=sum(failed for _, _, failed in rows),
    )


def accounts(now: Now) -> tuple[AccountLine, ...]:
    """By their age."""
    lines = bot_lines(now)
    return tuple(
        _account(portfolio, now, (line for account, line in lines if account == portfolio.account_id))
        for portfolio in Portfolio.objects.select_related("account").order_by("account_id")
    )


def _account(portfolio: Portfolio, now: Now, bots: Iterable[BotLine]) -> AccountLine:
    account: ExchangeAccount = portfolio.account
    with exact():
        today = sum((line.today for line in bots), ZERO)
    return AccountLine(
        name=account.name,
        mode=account.mode,
        quote=account.quote,
        capital=portfolio.capital,
        equity=equity(portfolio),
        peak_equity=max(portfolio.peak_equity, equity(portfolio)),
        realised=portfolio.realised,
        unrealised=portfolio.unrealised,
        fees=portfolio.fees,
        exposure=portfolio.exposure,
        reserved=portfolio.reserved,
        free=free_cash(portfolio),
        today=today,
        not_clean=why_not_clean(account, now),
    )


def bot_lines(now: Now) -> list[tuple[int, BotLine]]:
    """Each with its account's id, by their age."""
    bots = Bot.objects.select_related("account", "book").order_by("pk")
    return [(bot.account_id, bot_line(bot, now)) for bot in bots]


def bot_line(bot: Bot, now: Now) -> BotLine:
    """``bot`` comes with its account; a bot without a book has made nothing yet."""
    book = getattr(bot, "book", None) or BotBook(bot=bot)
    own = bot_equity(bot, book)
    with exact():
        today = own - book.day_start_equity if book.day == now.market_at.date() else ZERO
    return BotLine(
        **{name: getattr(bot, name) for name in ("name", "symbol", "timeframe", "strategy", "status")},
        **{name: getattr(bot, name) for name in ("status_reason", "live", "capital", "last_tick_at")},
        **{name: getattr(bot, name) for name in ("ticks", "ticks_failed")},
        **{name: getattr(book, name) for name in ("realised", "unrealised", "fees", "wins", "losses", "loss_streak")},
        quote=bot.account.quote,
        equity=own,
        peak_equity=max(book.peak_equity, own),
        today=today,
    )


def live_positions(bot: Bot | None = None) -> list[PositionLine]:
    """Open, opening and closing ones, the newest first."""
    rows = Position.objects.filter(status__in=list(LIVE_POSITION)).select_related("bot").order_by("-pk")
    if bot is not None:
        rows = rows.filter(bot=bot)
    columns = ("symbol", "status", "quantity", "cost", "unrealised", "realised", "entry_price", "mark_price")
    more = ("stop_price", "target_price", "opened_at")
    return [PositionLine(bot=row.bot.name, **{name: getattr(row, name) for name in (*columns, *more)}) for row in rows]


def closed_positions(most: int) -> list[Position]:
    """The latest, newest first, with their bots."""
    closed = Position.objects.filter(status__exact=PositionStatus.CLOSED).select_related("bot")
    return list(closed.order_by("-pk")[:most])


def unfinished_orders(most: int) -> list[Order]:
    """What works at the exchange or is on its way there, the newest first, with their bots."""
    return list(Order.objects.filter(status__in=list(UNFINISHED_ORDER)).select_related("bot").order_by("-pk")[:most])


def last_orders(most: int) -> list[Order]:
    return list(Order.objects.select_related("bot").order_by("-pk")[:most])


def last_events(most: int) -> list[Event]:
    """Oldest first."""
    return list(Event.objects.order_by("-pk")[:most])[::-1]
