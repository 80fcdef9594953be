"""A database for histories beside that of the other tests: it is put back by its file, not by a transaction."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from django.db import connection

from proof.database import Database
from proof.world import raise_fleet


@pytest.fixture(scope="module")
def database(django_db_blocker) -> Iterator[Database]:
    """The small fleet's rows, and nothing else."""
    if connection.vendor != "sqlite":
        pytest.skip("histories are put back by SQLite's backup")
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    with django_db_blocker.unblock(), Database() as made:
        raise_fleet(made)
        yield made
    structlog.configure(**before)
