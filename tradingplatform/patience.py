"""How long a process may wait for the database. Those that ring for everybody wait only a moment."""

from typing import Any

from django.db import connection
from django.db.backends.signals import connection_created

WAIT_MS = 500
_STATEMENT = {
    "sqlite": f"PRAGMA busy_timeout={WAIT_MS}",
    "postgresql": f"SET statement_timeout={4 * WAIT_MS}",  # a time for the whole statement, not for the wait alone
}


def wait_briefly_for_the_database() -> None:
    """From now on this process waits at most half a second for a locked database: it can do the work later."""
    connection_created.connect(_shorten, dispatch_uid="tradingplatform.patience")
    if connection.connection is not None:
        _shorten(connection)


def _shorten(connection: Any, **_: object) -> None:
    if statement := _STATEMENT.get(connection.vendor):
        with connection.cursor() as cursor:
            cursor.execute(statement)
