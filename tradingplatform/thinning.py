"""Thinning out the past by the table of retention.py: small transactions, beside running ticks.

No tick looks at rows that old. What is removed is found without a lock; each batch is a transaction of its own, which
repeats the rule's conditions, and leaves the database to others for as long as it took.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import connection, transaction
from django.db.models import QuerySet

from execution.models import EquitySnapshot
from market.clock import Now
from notifications.models import Condition, Event, Severity
from risk.models import Decision, Outcome
from tradingplatform.retention import DECISIONS, RULES, SIGNALS, SNAPSHOTS, Rule, before, hour_of, superfluous

log = structlog.get_logger()

BATCH = 500  # rows removed in one transaction
READ = 5_000  # rows looked at in one query
JOB_S = 40.0  # wall seconds that the daily job may take: a task ends after 60; the rest waits for the next day
HOUR = timedelta(hours=1)

Rows = QuerySet[Any]
Remove = Callable[[list[int]], int]
"""Removes the rows with these ids, if they may be, and returns how many it were."""


def thin(now: Now, retention_days: int, *, dry_run: bool = False, within_s: float | None = None) -> dict[str, int]:
    """Remove what may go, by kind; how many rows it were. ``dry_run`` counts only. Doing it again changes nothing.

    After ``within_s`` wall seconds it stops between two batches; what is left goes the next time. Call it outside a
    transaction.
    """
    deadline = None if within_s is None else time.monotonic() + within_s
    removed = {rule.kind: 0 for rule in RULES}
    for rule in RULES:
        rows = _candidates(rule, before(rule, now, retention_days))
        remove = len if dry_run else _remover(rows)
        for batch in _batches(rule, rows):
            if deadline is not None and time.monotonic() >= deadline:
                log.warning("thinning_goes_on_next_time", **removed)
                return removed
            removed[rule.kind] += remove(batch)
    return removed


def thin_daily(now: Now, retention_days: int) -> None:
    """The job: as much as fits into its time."""
    log.info("thinned", **thin(now, retention_days, within_s=JOB_S))


def vacuum() -> None:
    """Give the space of removed rows back to the disk, on SQLite. Nobody can write meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM")


def _candidates(rule: Rule, until: datetime) -> Rows:
    """The rows that the rule looks at, of which the last of an hour may be left."""
    if rule is DECISIONS:
        idle = (Outcome.NOTHING, Outcome.SKIPPED)
        return Decision.objects.filter(outcome__in=idle, orders=None, market_at__lt=until)
    if rule is SNAPSHOTS:
        return EquitySnapshot.objects.filter(market_at__lt=until)
    if rule is SIGNALS:
        return Event.objects.filter(kind="signal", severity=Severity.INFO, market_at__lt=until)
    return Condition.objects.filter(ended_at__lt=until)


def _batches(rule: Rule, rows: Rows) -> Iterator[list[int]]:
    """The ids of what goes, at most BATCH at a time."""
    if rule is DECISIONS:
        yield from _split(map(superfluous, _whole_hours(rows)))
    elif rule is SNAPSHOTS:
        for account_id, bot_id in list(rows.order_by().values_list("account_id", "bot_id").distinct()):
            yield from _split(map(superfluous, _whole_hours(rows.filter(account_id=account_id, bot_id=bot_id))))
    else:
        yield from _by_id(rows)


def _whole_hours(rows: Rows) -> Iterator[list[tuple[int, object, datetime]]]:
    """(id, bot, market time) of all rows, the oldest first, in parts that cut no hour in two."""
    columns = rows.order_by("market_at", "pk").values_list("pk", "bot_id", "market_at")
    part = list(columns[:READ])
    while part:
        if len(part) < READ:
            yield part
            return
        cut = hour_of(part[-1][2])
        whole = [row for row in part if row[2] < cut]
        if not whole:  # an hour that is fuller than one read
            whole = list(columns.filter(market_at__gte=cut, market_at__lt=cut + HOUR))
            cut += HOUR
        yield whole
        part = list(columns.filter(market_at__gte=cut)[:READ])


def _split(parts: Iterable[list[int]]) -> Iterator[list[int]]:
    for ids in parts:
        for start in range(0, len(ids), BATCH):
            yield ids[start : start + BATCH]


def _by_id(rows: Rows) -> Iterator[list[int]]:
    ids = rows.order_by("pk").values_list("pk", flat=True)
    batch = list(ids[:BATCH])
    while batch:
        yield batch
        batch = list(ids.filter(pk__gt=batch[-1])[:BATCH])


def _remover(rows: Rows) -> Remove:
    """Removes of ``rows`` those with the given ids, and then waits for as long as that took."""

    def remove(ids: list[int]) -> int:
        began = time.monotonic()
        with transaction.atomic():
            number, _ = rows.filter(pk__in=ids).delete()
        time.sleep(time.monotonic() - began)
        return number

    return remove
