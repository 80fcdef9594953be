"""Snapshots of one account and its bots -> the last of each UTC day.

There are a million snapshots and a few thousand days. So the database leaps from the last snapshot of a day to the last
one before that day, by the index on owner and time, instead of reading all of them.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from django.db import connection

from market.money import exact
from tradingplatform.reports.period import Period
from tradingplatform.reports.statistics import ONE_DAY, DayValue

FAR = datetime(9999, 1, 1, tzinfo=UTC)
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)

_LAST_BEFORE = """SELECT s.id FROM execution_equitysnapshot s
    WHERE {owner} AND s.account_id = %s AND s.market_at < {before} ORDER BY s.market_at DESC, s.id DESC LIMIT 1"""

_FIRST = """SELECT s.id FROM execution_equitysnapshot s
    WHERE {owner} AND s.account_id = %s ORDER BY s.market_at, s.id LIMIT 1"""

_QUERY = """
WITH RECURSIVE days(bot_id, snapshot_id) AS (
  SELECT o.bot_id, ({latest}) FROM ({owners}) o
  UNION ALL
  SELECT o.bot_id, ({earlier}) FROM days o JOIN execution_equitysnapshot p ON p.id = o.snapshot_id
  WHERE p.market_at >= %s
)
SELECT 0, o.bot_id, {day}, s.equity, s.realised, s.unrealised
  FROM days o JOIN execution_equitysnapshot s ON s.id = o.snapshot_id
UNION ALL
SELECT 1, o.bot_id, {day}, s.equity, s.realised, s.unrealised
  FROM ({owners}) o JOIN execution_equitysnapshot s ON s.id = ({first})
"""

_ACCOUNT = ("SELECT CAST(NULL AS BIGINT) AS bot_id", "s.bot_id IS NULL")
_BOTS = ("SELECT id AS bot_id FROM bots_bot WHERE account_id = {account}", "s.bot_id = o.bot_id")

_MIDNIGHT = {
    "sqlite": "date(p.market_at)",
    "postgresql": "(date_trunc('day', p.market_at AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')",
}
"""The begin of the UTC day of a snapshot. On SQLite both are text: a date is before each of its times."""

_DAY = {"sqlite": "date(s.market_at)", "postgresql": "to_char(s.market_at AT TIME ZONE 'UTC', 'YYYY-MM-DD')"}
"""The UTC day of a snapshot as text."""


def account_days(account_id: int, period: Period) -> list[DayValue]:
    """Of the account: the evening before the period (where there was none, its first moment), then the last value of
    each day in it that has any."""
    return _read(account_id, period, *_ACCOUNT).get(None, [])


def bot_days(account_id: int, period: Period) -> dict[int, list[DayValue]]:
    """The same of each of the account's bots, by its id, as far as it traded on this account."""
    return {bot: days for bot, days in _read(account_id, period, *_BOTS).items() if bot is not None}


def _read(account_id: int, period: Period, owners: str, owner: str) -> dict[int | None, list[DayValue]]:
    owners = owners.format(account=int(account_id))
    query = _QUERY.format(
        owners=owners,
        latest=_LAST_BEFORE.format(owner=owner, before="%s"),
        earlier=_LAST_BEFORE.format(owner=owner, before=_MIDNIGHT[connection.vendor]),
        first=_FIRST.format(owner=owner),
        day=_DAY[connection.vendor],
    )
    since, until = period.since or LONG_AGO, period.until or FAR
    found: dict[int | None, dict[str, DayValue]] = {}
    first: dict[int | None, DayValue] = {}
    with connection.cursor() as cursor, exact():
        cursor.execute(query, [account_id, _bound(until), account_id, _bound(since), account_id])
        for is_first, bot_id, day, *amounts in cursor.fetchall():
            if is_first:
                first[bot_id] = _value(day, *amounts)
            else:
                found.setdefault(bot_id, {})[day] = _value(day, *amounts)
    return {bot_id: _with_opening(days, first[bot_id], since.date()) for bot_id, days in found.items()}


def _with_opening(days: Mapping[str, DayValue], first: DayValue, since: date) -> list[DayValue]:
    """The days of the period, oldest first, and before them what was there the evening before."""
    values = [days[day] for day in sorted(days)]
    inside = [value for value in values if value.day >= since]
    if not inside:
        return []
    opening, begins = (values[0], since) if values[0].day < since else (first, inside[0].day)
    return [replace(opening, day=begins - ONE_DAY), *inside]


def _value(day: str, *amounts: str | Decimal) -> DayValue:
    equity, realised, unrealised = map(Decimal, amounts)
    return DayValue(date.fromisoformat(day), equity, equity - realised - unrealised)


def _bound(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)
