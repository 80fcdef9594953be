"""Opinions that were stored, with what became of the entries."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db.models import Prefetch

from execution.models import Order, Purpose
from execution.states import PositionStatus
from risk.models import Decision
from risk.opinion import NOT_ASKED
from tradingplatform.ai.report_table import Judged


def judged_since(since_at: datetime) -> list[Judged]:
    """Every opinion on an entry since a market time; entries that could not be made anyhow are left out."""
    entries = Order.objects.filter(purpose=Purpose.ENTRY).select_related("position")
    asked = Decision.objects.filter(opinion__isnull=False, market_at__gte=since_at).order_by("pk")
    rows = asked.select_related("bot__account").prefetch_related(Prefetch("orders", entries))
    read = ((decision, decision.opinion or {}) for decision in rows.iterator(chunk_size=500))
    return [_judged(decision, opinion) for decision, opinion in read if not _is_pointless(opinion)]


def _is_pointless(opinion: Mapping[str, Any]) -> bool:
    return bool(opinion["failure"].startswith(NOT_ASKED))


def _judged(decision: Decision, opinion: Mapping[str, Any]) -> Judged:
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
