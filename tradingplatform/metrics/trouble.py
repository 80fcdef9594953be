"""What lasts and what stops entries: conditions, halts, the dead man's switch, heartbeats. Five queries."""

import math
from collections import Counter
from collections.abc import Iterator

from prometheus_client.core import Metric

from market.clock import Clock, Now
from notifications.conditions import lasting
from notifications.models import Heartbeat
from risk.deadman_stage import Stage
from risk.halts import in_force
from tradingplatform.alarms import MISSING, switch_state
from tradingplatform.event_kinds import STALE_CANDLES
from tradingplatform.heartbeats import ages_s
from tradingplatform.metrics.families import Sample, age_s, gauge, one


def trouble_metrics(_clock: Clock, now: Now) -> Iterator[Metric]:
    conditions = list(lasting().values_list("kind", "severity", "subject", "began_at"))
    counted = Counter((kind, severity) for kind, severity, *_rest in conditions)
    yield gauge("trading_conditions", "What lasts", ("kind", "severity"), sorted(counted.items()))
    oldest: dict[tuple[str, ...], float] = {}
    for kind, *_rest, began_at in conditions:
        oldest[(kind,)] = max(age_s(began_at, now.wall_at), oldest.get((kind,), 0.0))
    yield gauge("trading_condition_age_seconds", "How long the oldest of a kind lasts", ("kind",), oldest.items())
    stale = [subject for kind, _severity, subject, _began in conditions if kind == STALE_CANDLES]
    yield one("trading_stale_series", "Series of candles in use that are not fresh", len(stale))
    yield gauge("trading_stale_series_names", "Which", ("series",), [((name,), 1) for name in sorted(stale)])
    yield _halts(now)
    yield from _switch(now)
    yield from _heartbeats(now)


def _halts(now: Now) -> Metric:
    counted = {"everything": 0, "account": 0, "bot": 0}
    for account, bot in in_force(now).values_list("account_id", "bot_id"):
        counted["bot" if bot else "account" if account else "everything"] += 1
    return gauge("trading_halts", "Halts in force", ("scope",), [((scope,), n) for scope, n in counted.items()])


def _switch(now: Now) -> Iterator[Metric]:
    switch = switch_state(now.wall_at)
    shut = switch["stage"] in (Stage.TRIGGERED.value, MISSING)
    yield one("trading_dead_mans_switch_triggered", "1: the dead man's switch stops entries, or is missing", shut)
    left = switch["seconds_left"] or 0
    yield one("trading_dead_mans_switch_seconds_left", "Wall seconds until the dead man's switch triggers", left)


def _heartbeats(now: Now) -> Iterator[Metric]:
    """Infinitely old is the one that never came, so that an alert on age sees it too."""
    known = {name: math.inf if age is None else age for name, age in ages_s(now.wall_at).items()}
    ages: list[Sample] = [((name,), age) for name, age in known.items()]
    yield gauge("trading_heartbeat_age_seconds", "Wall seconds since a chain last began what it ended", ("name",), ages)
    times = Heartbeat.objects.order_by("pk").values_list("name", "sent_at", "wall_at")
    trips: list[Sample] = [((name,), age_s(sent_at, wall_at)) for name, sent_at, wall_at in times]
    yield gauge("trading_heartbeat_trip_seconds", "How long the last one took from end to end", ("name",), trips)
