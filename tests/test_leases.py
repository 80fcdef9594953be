"""A database that is away for a moment, and one that does not come back."""

import pytest
from django.db import OperationalError

from tradingplatform import leases


class Database:
    """Locked for so many writes."""

    def __init__(self, locked: int) -> None:
        self.locked, self.written = locked, 0

    def write(self) -> None:
        if self.locked:
            self.locked -= 1
            raise OperationalError("database is locked")
        self.written += 1


def test_it_is_given_back_once_as_soon_as_the_database_is_there(db, monkeypatch):
    monkeypatch.setattr(leases, "PAUSE_S", 0.0)
    database = Database(locked=5)
    leases.give_back(database.write)
    assert (database.locked, database.written) == (0, 1)


def test_what_does_not_come_back_is_not_waited_for_for_ever(db, monkeypatch):
    monkeypatch.setattr(leases, "PAUSE_S", 0.0)
    monkeypatch.setattr(leases, "PATIENCE_S", 0.05)
    with pytest.raises(OperationalError):
        leases.give_back(Database(locked=10**9).write)
