"""The fleet at a glance, as plain values.

Money is summed here from the fills (a fee in a third currency counts as cash spent), the capital changes and the
positions' own rows, and from no running total, so that the two can be checked against each other: equity ==
starting_capital + realised + unrealised, to the last digit.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Sum

from bots.models import Bot, BotStatus, ExchangeAccount
from execution.clean import why_not_clean
from execution.models import CapitalChange, Order, Position, Reconciliation, Trade
from execution.states import LIVE_POSITION, PositionStatus
from market.clock import Now, load_clock
from market.money import ZERO, canonical, exact
from risk.halts import in_force
from risk.models import Decision, Halt, Outcome
from tradingplatform.alarms import conditions_lasting, halts_in_force, switch_state
from tradingplatform.heartbeats import ages_s
from tradingplatform.reading import one_moment
from tradingplatform.running import State, platform_state
from tradingplatform.sim_stats import KEYS, exchange_stats


@dataclass
class Figures:
    """Sums over the positions of one bot, or of all, in quote."""

    realised: Decimal = ZERO
    unrealised: Decimal = ZERO
    fees: Decimal = ZERO
    worth: Decimal = ZERO
    open: list[str] = field(default_factory=list)


def read_status() -> dict[str, Any]:
    """Everything, all of one moment. Money as exact decimal strings, times as ISO 8601."""
    clock = load_clock(settings.CLOCK_FILE)
    now = clock.now()
    with one_moment():
        status = {**_accounts(now), **_alarms(now), **_counts(now), **_money(now.wall_at)}
    state = platform_state(settings.VAR, clock)
    runs = state["platform"] == State.RUNNING
    return {
        **state,
        "var": str(settings.VAR),
        "wall_at": now.wall_at.isoformat(),
        "market_at": now.market_at.isoformat(),
        "speed": clock.speed,
        "exchange_id": settings.EXCHANGE,
        **status,
        "exchange": exchange_stats(settings.SIM_URL) if runs else {**dict.fromkeys(KEYS), "reason": "not running"},
    }


def _accounts(now: Now) -> dict[str, Any]:
    accounts = [_account(account, now) for account in ExchangeAccount.objects.order_by("pk")]
    return {"accounts": accounts, "mode": ", ".join(sorted({account["mode"] for account in accounts}))}


def _account(account: ExchangeAccount, now: Now) -> dict[str, Any]:
    """``clean_age_s``: since a live account was last found to agree with the exchange; ``why_not_clean``: why nothing
    enters on it, empty when it may."""
    clean_at = Reconciliation.objects.filter(account=account).values_list("clean_at", flat=True).first()
    return {
        **{name: getattr(account, name) for name in ("name", "exchange", "quote", "mode")},
        "clean_age_s": _age_s(clean_at, now.wall_at) if account.is_live else None,
        "why_not_clean": why_not_clean(account, now),
    }


def _alarms(now: Now) -> dict[str, Any]:
    return {
        "dead_mans_switch": switch_state(now.wall_at),
        "halts_in_force": halts_in_force(now),
        "conditions": conditions_lasting(),
        "heartbeats_age_s": ages_s(now.wall_at),
    }


def _counts(now: Now) -> dict[str, Any]:
    totals = Bot.objects.aggregate(ticks=Sum("ticks"), failed=Sum("ticks_failed"), last=Max("last_tick_at"))
    return {
        "bots": _count_by(Bot, "status", BotStatus.values),
        "ticks": totals["ticks"] or 0,
        "ticks_failed": totals["failed"] or 0,
        "last_tick_age_s": _age_s(totals["last"], now.wall_at),
        "positions": _count_by(Position, "status", [status.value for status in PositionStatus]),
        "exits": _count_by(Position, "exit_reason", among=Position.objects.filter(status__exact=PositionStatus.CLOSED)),
        "orders": Order.objects.count(),
        "fills": Trade.objects.count(),
        "refusals": _count_by(Decision, "failed_check", among=Decision.objects.filter(outcome=Outcome.REFUSED)),
        "halts": in_force(now).count(),
        "halts_ever": Halt.objects.count(),
    }


def _count_by(model: Any, column: str, always: Iterable[str] = (), among: Any = None) -> dict[str, int]:
    rows = (model.objects if among is None else among).order_by().values_list(column).annotate(number=Count("pk"))
    return {**dict.fromkeys(always, 0), **Counter(dict(rows))}


def _money(wall_at: datetime) -> dict[str, Any]:
    capital = CapitalChange.objects.order_by().values_list("amount", flat=True)
    flows = Trade.objects.order_by().values_list("cash_change", flat=True)
    elsewhere = Trade.objects.filter(fee_rate__isnull=False).order_by().values_list("fee", "fee_rate")
    with exact():
        starting_capital = sum(capital, ZERO)
        cash = sum(flows.iterator(chunk_size=5000), starting_capital)
        cash -= sum((fee * (rate or ZERO) for fee, rate in elsewhere.iterator(chunk_size=5000)), ZERO)
        by_bot = _figures_by_bot()
        total = Figures(
            realised=sum((figures.realised for figures in by_bot.values()), ZERO),
            unrealised=sum((figures.unrealised for figures in by_bot.values()), ZERO),
            fees=sum((figures.fees for figures in by_bot.values()), ZERO),
            worth=sum((figures.worth for figures in by_bot.values()), ZERO),
        )
        equity = cash + total.worth
    return {
        "starting_capital": canonical(starting_capital),
        "equity": canonical(equity),
        "cash": canonical(cash),
        "positions_worth": canonical(total.worth),
        "realised": canonical(total.realised),
        "unrealised": canonical(total.unrealised),
        "fees": canonical(total.fees),
        "fleet": [_bot_line(bot, by_bot.get(bot.pk, Figures()), wall_at) for bot in Bot.objects.order_by("pk")],
    }


def _figures_by_bot() -> dict[int, Figures]:
    """Inside ``exact()``. A position without a mark has not been valued yet: it is worth what it cost."""
    by_bot: dict[int, Figures] = {}
    columns = ("bot_id", "realised", "fees", "quantity", "cost", "mark_price", "status")
    rows = Position.objects.order_by().values_list(*columns).iterator(chunk_size=5000)
    for bot_id, realised, fees, quantity, cost, mark_price, status in rows:
        figures = by_bot.setdefault(bot_id, Figures())
        figures.realised += realised
        figures.fees += fees
        if quantity or cost:
            worth = cost if mark_price is None else quantity * mark_price
            figures.worth += worth
            figures.unrealised += worth - cost
        if status in LIVE_POSITION:
            figures.open.append(canonical(quantity) if quantity else status)
    return by_bot


def _bot_line(bot: Bot, figures: Figures, wall_at: datetime) -> dict[str, Any]:
    return {
        "name": bot.name,
        "symbol": bot.symbol,
        "timeframe": bot.timeframe,
        "strategy": bot.strategy,
        "status": bot.status,
        "position": ", ".join(figures.open),
        "unrealised": canonical(figures.unrealised),
        "realised": canonical(figures.realised),
        "capital": canonical(bot.capital),
        "ticks": bot.ticks,
        "last_tick_age_s": _age_s(bot.last_tick_at, wall_at),
    }


def _age_s(at: datetime | None, wall_at: datetime) -> float | None:
    return None if at is None else round((wall_at - at).total_seconds(), 1)
