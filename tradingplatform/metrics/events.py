"""The log of events, how far each subscriber has come, and who listens to the live stream. Four queries."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from market.clock import Clock, Now
from notifications.standing import read_log
from tradingplatform.metrics.families import Sample, age_s, counter, gauge, one
from tradingplatform.stream import stream_clients


def event_metrics(_clock: Clock, now: Now) -> Iterator[Metric]:
    log = read_log()
    yield counter("trading_events", "Events ever published", (), [((), log.events)])
    behind: list[Sample] = [((c.name,), c.behind) for c in log.cursors]
    yield gauge("trading_cursor_lag_events", "Events that a subscriber has not had yet", ("subscriber",), behind)
    failing: list[Sample] = [
        ((c.name,), age_s(c.failing_since, now.wall_at) if c.failing_since else 0.0) for c in log.cursors
    ]
    yield gauge(
        "trading_cursor_failing_seconds", "Since when its delivery fails; 0: it works", ("subscriber",), failing
    )
    dead: list[Sample] = [((name,), number) for name, number in log.buried.items()]
    yield gauge("trading_dead_letters", "Events that a subscriber would not take", ("subscriber",), dead)
    yield one("trading_stream_clients", "Connections to the live stream of this web process", stream_clients())
