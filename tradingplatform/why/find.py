"""One slot of one bot, read from the database in one moment."""

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings

from bots.models import Bot
from execution.models import Order, Position, Trade
from market.clock import Clock, Now, moment, ms_of
from market.slots import slot_at, slot_start_ms
from notifications.models import Event
from risk.models import Decision
from tradingplatform.phase import due_ms
from tradingplatform.reading import one_moment
from tradingplatform.why.absent import why_no_tick
from tradingplatform.why.absent_facts import facts_of, late_ms
from tradingplatform.why.rows import decision_row, event_row, iso, order_row, position_row
from tradingplatform.why.sentence import sentence
from tradingplatform.why.times import wall_of

TOLD_ELSEWHERE = ("signal", "order_placed", "order_filled", "position_opened", "position_closed", "risk_refused")
"""Events that say again what the decision, the orders and the positions say."""

MOST_EVENTS = 20


def find(bot: Bot, at: datetime | None, clock: Clock, now: Now) -> dict[str, Any]:
    """Everything about the slot that the market time ``at`` lies in (None: the latest), as JSON values."""
    with one_moment():
        slot = _latest(bot, clock, now) if at is None else slot_at(ms_of(at), bot.interval_s)
        begins_at, ends_at = (moment(slot_start_ms(number, bot.interval_s)) for number in (slot, slot + 1))
        decision = _decision(bot, slot, begins_at, ends_at, clock)
        seen_at = now.market_at if decision is None else decision.market_at
        told = {
            **_bot(bot),
            "var": str(settings.VAR),
            "slot": _slot(slot, bot, begins_at, ends_at, clock),
            "decision": None if decision is None else decision_row(decision),
            "why_no_tick": "" if decision else why_no_tick(facts_of(bot, slot, clock, now)),
            **_money(bot, decision, begins_at, ends_at, min(seen_at, ends_at) if decision is None else seen_at),
            "events": _events(bot, begins_at, ends_at),
        }
    return {"sentence": sentence(told), **told}


def _latest(bot: Bot, clock: Clock, now: Now) -> int:
    """The current slot when it has its decision, or should have it by now; else the last that has one."""
    current = slot_at(now.market_ms, bot.interval_s)
    last = Decision.objects.filter(bot=bot, slot__lte=current).order_by("-slot").values_list("slot", flat=True).first()
    if last is None or now.market_ms >= late_ms(current, bot, clock):
        return current
    return last


def _decision(bot: Bot, slot: int, begins_at: datetime, ends_at: datetime, clock: Clock) -> Decision | None:
    """Slots of another timeframe have other numbers: the bot may have had one."""
    latest_at = ends_at + timedelta(seconds=100 * clock.speed)  # a slow tick ends after its slot
    rows = Decision.objects.filter(bot=bot, market_at__gte=begins_at)
    own = rows.filter(slot=slot, market_at__lt=latest_at).first()
    return own or rows.filter(market_at__lt=ends_at).exclude(slot=slot - 1).order_by("market_at").first()


def _bot(bot: Bot) -> dict[str, Any]:
    names = ("symbol", "timeframe", "strategy", "parameters", "status", "status_reason")
    return {"bot": bot.name, "account": bot.account.name, **{name: getattr(bot, name) for name in names}}


def _slot(slot: int, bot: Bot, begins_at: datetime, ends_at: datetime, clock: Clock) -> dict[str, Any]:
    """``wall_exact``: whether the wall times are known, or taken from the rows around."""
    begins_wall, exact_begin = wall_of(begins_at, clock)
    ends_wall, exact_end = wall_of(ends_at, clock)
    return {
        "number": slot,
        "begins_at": iso(begins_at),
        "ends_at": iso(ends_at),
        "due_at": iso(moment(due_ms(slot, bot.interval_s, bot.stagger_s))),
        "wall_begins_at": iso(begins_wall),
        "wall_ends_at": iso(ends_wall),
        "wall_exact": exact_begin and exact_end,
    }


def _money(bot: Bot, decision: Decision | None, begins_at: datetime, ends_at: datetime, at: datetime) -> dict[str, Any]:
    """The orders of the decision and all others of the slot, and every position concerned, as held at ``at``."""
    of_slot = list(Order.objects.filter(bot=bot, market_at__gte=begins_at, market_at__lt=ends_at))
    of_decision = list(decision.orders.all()) if decision else []
    orders = {order.pk: order for order in (*of_decision, *of_slot)}
    wanted = {order.position_id for order in orders.values()} | _held(bot, at)
    trades: dict[int, list[Trade]] = {pk: [] for pk in wanted}
    for trade in Trade.objects.filter(position__in=wanted).order_by("pk"):
        trades[trade.position_id].append(trade)
    positions = [
        position_row(position, trades[position.pk], at)
        for position in Position.objects.filter(pk__in=wanted).order_by("pk")
    ]
    ours = {order.pk for order in of_decision}
    return {
        "orders": [
            order_row(
                order,
                [trade for trade in trades[order.position_id] if trade.order_id == order.pk],
                decided=order.pk in ours,
            )
            for order in sorted(orders.values(), key=lambda order: order.pk)
        ],
        "held": next((row for row in positions if row["existed"]), None),
        "positions": positions,
    }


def _held(bot: Bot, at: datetime) -> set[int]:
    """The position that the bot had at a market time, if it had one."""
    begun = Position.objects.filter(bot=bot, created_at__lt=at).exclude(closed_at__lte=at)
    newest = begun.order_by("-pk").values_list("pk", flat=True).first()
    return set() if newest is None else {newest}


def _events(bot: Bot, begins_at: datetime, ends_at: datetime) -> list[dict[str, Any]]:
    """What else was told of the bot in the slot, oldest first."""
    rows = Event.objects.filter(bot_id=bot.pk, market_at__gte=begins_at, market_at__lt=ends_at)
    return [event_row(event) for event in rows.exclude(kind__in=TOLD_ELSEWHERE).order_by("pk")[:MOST_EVENTS]]
