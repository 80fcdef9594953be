"""The log of events, and how far each subscriber has come. Four queries."""

from collections.abc import Iterator

from django.db.models import Count
from prometheus_client.core import Metric

from market.clock import Clock, Now
from notifications.models import Cursor, DeadLetter, Event, EventCounter
from tradingplatform.metrics.families import Sample, age_s, counter, gauge


def event_metrics(_clock: Clock, now: Now) -> Iterator[Metric]:
    numbered = EventCounter.objects.values_list("last", flat=True).first() or 0
    waiting = Event.objects.filter(seq=None).count()
    yield counter("trading_events", "Events ever published", (), [((), numbered + waiting)])
    cursors = list(Cursor.objects.order_by("pk"))
    behind: list[Sample] = [((c.name,), max(0, numbered - c.seq) + waiting) for c in cursors]
    yield gauge("trading_cursor_lag_events", "Events that a subscriber has not had yet", ("subscriber",), behind)
    failing: list[Sample] = [
        ((c.name,), age_s(c.failing_since, now.wall_at) if c.failing_since else 0.0) for c in cursors
    ]
    yield gauge(
        "trading_cursor_failing_seconds", "Since when its delivery fails; 0: it works", ("subscriber",), failing
    )
    buried = DeadLetter.objects.order_by().values_list("subscriber").annotate(number=Count("pk"))
    dead: list[Sample] = [((name,), number) for name, number in buried]
    yield gauge("trading_dead_letters", "Events that a subscriber would not take", ("subscriber",), dead)
