"""Orders and decisions of the last hour of market time, and what is under way. Three queries, each bounded."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from prometheus_client.core import Metric

from execution.models import Order, Purpose
from execution.states import UNFINISHED_ORDER, OrderStatus
from market.clock import Clock, Now
from market.orders import OrderType
from risk.models import Decision, Outcome
from tradingplatform.metrics.families import Sample, age_s, gauge

LOOK_BACK = timedelta(hours=1)
MOST = 2_000
"""Rows that a scrape looks at, the newest first."""

QUANTILES = (0.5, 0.99, 1.0)


def order_metrics(_clock: Clock, now: Now) -> Iterator[Metric]:
    rows = Order.objects.filter(market_at__gt=now.market_at - LOOK_BACK).order_by("-id")
    recent = list(rows.values_list("purpose", "status", "type", "prepared_at", "sent_at", "finished_at")[:MOST])
    counted = Counter((purpose, status) for purpose, status, *_ in recent)
    yield gauge(
        "trading_orders_recent",
        "Orders of the last hour of market time",
        ("purpose", "status"),
        [(labels, number) for labels, number in sorted(counted.items())],
    )
    sent = [(out - made).total_seconds() for _, _, _, made, out, _ in recent if out]
    answered = [
        (end - out).total_seconds() for _, _, kind, _, out, end in recent if out and end and kind == OrderType.MARKET
    ]
    yield gauge(
        "trading_order_latency_seconds",
        "Wall seconds of the last market hour's orders, from intent to send, and of market orders from send to booked",
        ("stage", "quantile"),
        [*_quantiles("send", sent), *_quantiles("answer", answered)],
    )
    yield from _under_way(now)
    yield _decisions(now)


def _quantiles(stage: str, seconds: list[float]) -> Iterator[Sample]:
    """Nothing for nothing: an old figure must not look like a new one."""
    ranked = sorted(seconds)
    for quantile in QUANTILES if ranked else ():
        yield (stage, f"{quantile:g}"), ranked[min(len(ranked) - 1, int(quantile * len(ranked)))]


def _under_way(now: Now) -> Iterator[Metric]:
    unfinished = list(
        Order.objects.filter(status__in=list(UNFINISHED_ORDER))
        .order_by("pk")
        .values_list("status", "prepared_at", "purpose")[:MOST]
    )
    counted = Counter(status for status, _, _ in unfinished)
    yield gauge(
        "trading_orders_unfinished",
        "Orders that have not ended, resting stops among them",
        ("status",),
        [((status.value,), counted[status.value]) for status in sorted(UNFINISHED_ORDER)],
    )
    unknown = [age_s(made, now.wall_at) for status, made, _ in unfinished if status == OrderStatus.UNKNOWN]
    yield gauge(
        "trading_order_unknown_age_seconds",
        "Wall seconds since the oldest order of unknown fate was made; 0: there is none",
        (),
        [((), max(unknown, default=0.0))],
    )
    stops = sum(purpose == Purpose.STOP for _, _, purpose in unfinished)
    yield gauge("trading_stops_resting", "Protective stops that have not ended", (), [((), stops)])


def _decisions(now: Now) -> Metric:
    rows = Decision.objects.filter(market_at__gt=now.market_at - LOOK_BACK).order_by("-market_at")
    counted = Counter(rows.values_list("outcome", "failed_check")[:MOST])
    for outcome in Outcome.values:
        counted.setdefault((outcome, ""), 0)
    return gauge(
        "trading_decisions_recent",
        "Decisions of the last hour of market time; check: the one that refused",
        ("outcome", "check"),
        [(labels, number) for labels, number in sorted(counted.items())],
    )
