"""Giving a bot's lease back although the database is away: until then nobody else may see to what the bot holds."""

import time
from collections.abc import Callable

import structlog
from django.db import DatabaseError, InterfaceError, close_old_connections

log = structlog.get_logger()

PATIENCE_S = 40.0
"""Wall time, of the minute that a tick may take: a lease that could not be given back by then runs out by itself."""

PAUSE_S = 0.5


def give_back(write: Callable[[], object]) -> None:
    """Do it as soon as the database lets it be done. Raises what the database raises when that takes too long."""
    until_s, failed = time.monotonic() + PATIENCE_S, False
    while True:
        try:
            write()
        except (DatabaseError, InterfaceError) as error:
            if time.monotonic() > until_s:
                raise
            if not failed:
                log.warning("lease_not_given_back", error=str(error))
            failed = True
            time.sleep(PAUSE_S)
            close_old_connections()
        else:
            return
