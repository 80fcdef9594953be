"""Snapshots of one account and its bots -> the last of each UTC day.

There are a million snapshots and a few thousand days. So the database leaps from the last snapshot of a day to the last
one before that day, by the index on owner and time, instead of reading all of them.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
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
SELECT o.bot_id, s.market_at, s.equity, s.realised, s.unrealised
  FROM days o JOIN execution_equitysnapshot s ON s.id = o.snapshot_id
UNION ALL
SELECT o.bot_id, s.market_at, s.equity, s.realised, s.unrealised
  FROM ({owners}) o JOIN execution_equitysnapshot s ON s.id = ({first})
"""

_ACCOUNT = ("SELECT CAST(NULL AS BIGINT) AS bot_id", "s.bot_id IS NULL")
_BOTS = ("SELECT id AS bot_id FROM bots_bot WHERE account_id = {account}", "s.bot_id = o.bot_id")

Row = tuple[Decimal, Decimal, Decimal]
"""Equity, realised and unrealised profit."""


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
        earlier=_LAST_BEFORE.format(owner=owner, before=_DAY_OF[connection.vendor].format("p.market_at")),
        first=_FIRST.format(owner=owner),
    )
    since, until = period.since or LONG_AGO, period.until or FAR
    found: dict[int | None, dict[datetime, Row]] = {}
    with connection.cursor() as cursor:
        cursor.execute(query, [account_id, _bound(until), account_id, _bound(since), account_id])
        for bot_id, at, *amounts in cursor.fetchall():
            equity, realised, unrealised = (Decimal(amount) for amount in amounts)
            found.setdefault(bot_id, {}).setdefault(_moment(at), (equity, realised, unrealised))
    with exact():
        return {bot_id: list(_days(sorted(rows.items()), since, until)) for bot_id, rows in found.items()}


def _days(rows: list[tuple[datetime, Row]], since: datetime, until: datetime) -> Iterator[DayValue]:
    """The rows, oldest first, as values: an opening, then one for each day."""
    before = [row for row in rows if row[0] < since]
    inside = [row for row in rows if since <= row[0] < until]
    if not inside:
        return
    opening, begins = (before[-1], since) if before else (inside[0], inside[0][0])
    yield _value(opening[1], begins - ONE_DAY)
    last_of = {at.date(): (at, row) for at, row in inside}
    for at, row in last_of.values():
        yield _value(row, at)


def _value(row: Row, at: datetime) -> DayValue:
    equity, realised, unrealised = row
    return DayValue(at.date(), equity, equity - realised - unrealised)


_DAY_OF = {
    "sqlite": "date({})",
    "postgresql": "(date_trunc('day', {} AT TIME ZONE 'UTC') AT TIME ZONE 'UTC')",
}


def _bound(at: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(at)


def _moment(at: datetime) -> datetime:
    """SQLite's are in UTC and do not say so."""
    return at if at.tzinfo else at.replace(tzinfo=UTC)
