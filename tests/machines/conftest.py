"""One real database for all machines: what runs on commit runs, and a durable transaction is one."""

import logging
from collections.abc import Iterator

import pytest
from django.db import connection

from proof.database import Database


@pytest.fixture(scope="module")
def database(django_db_setup: None, django_db_blocker: pytest.FixtureRequest) -> Iterator[Database]:
    """Put back to its migrated state by ``reset``. SQLite only."""
    if connection.vendor != "sqlite":
        pytest.skip("the database is put back by SQLite's backup")
    logging.disable(logging.CRITICAL)
    try:
        with django_db_blocker.unblock(), Database() as made:  # type: ignore[attr-defined]
            yield made
    finally:
        logging.disable(logging.NOTSET)
