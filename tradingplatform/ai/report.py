"""Opinions that were stored, with what became of the entries."""

from datetime import datetime
from decimal import Decimal

from django.db.models import Prefetch

from execution.models import Order, Purpose
from execution.states import PositionStatus
from risk.models import Decision
from tradingplatform.ai.report_table import Judged


def judged_since(since_at: datetime) -> list[Judged]:
    """Every opinion on an entry since a market time."""
    entries = Order.objects.filter(purpose=Purpose.ENTRY).select_related("position")
    asked = Decision.objects.filter(opinion__isnull=False, market_at__gte=since_at).order_by("pk")
    rows = asked.select_related("bot__account").prefetch_related(Prefetch("orders", entries))
    return [_judged(decision) for decision in rows.iterator(chunk_size=500)]


def _judged(decision: Decision) -> Judged:
    opinion = decision.opinion or {}
    return Judged(
        bot=decision.bot.name,
        quote=decision.bot.account.quote,
        mode=opinion["mode"],
        advice=opinion["advice"],
        factor=Decimal(opinion["factor"]),
        realised=_realised(decision),
    )


def _realised(decision: Decision) -> Decimal | None:
    closed = [order.position for order in decision.orders.all() if order.position.status == PositionStatus.CLOSED]
    return closed[0].realised if closed else None
