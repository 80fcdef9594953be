"""The portfolio lock: everything that raises exposure or changes money takes it first.

It is a write to the portfolio's row, because SQLite ignores SELECT FOR UPDATE; on PostgreSQL it locks that row.
"""

from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError, connection, transaction
from django.db.models import F

from execution.models import Portfolio

TRIES = 3
"""How often a transaction that could not get its lock is begun anew. Nothing was sent yet, so this is safe."""

T = TypeVar("T")


class NoPortfolio(Exception):
    """The account's portfolio row is missing: nothing may be traded on it."""


def under_portfolio_lock(account_id: int, work: Callable[[Portfolio], T]) -> T:
    """Run ``work`` in one durable transaction whose first statement locks the account's portfolio.

    ``work`` must not touch the network, and is run again when the database was locked. Raises NoPortfolio, and
    django.db.OperationalError when the lock cannot be had at all.
    """
    for last in (False,) * (TRIES - 1) + (True,):
        try:
            with transaction.atomic(durable=True):
                return work(lock_portfolio(account_id))
        except OperationalError:
            if last:
                raise
    raise AssertionError("the last try returns or raises")


def lock_portfolio(account_id: int) -> Portfolio:
    """The account's portfolio, locked until the running transaction ends. Raises NoPortfolio."""
    if not connection.in_atomic_block:
        raise RuntimeError("the portfolio lock is held by a transaction, and none is running")
    if Portfolio.objects.filter(account_id=account_id).update(lock_version=F("lock_version") + 1) != 1:
        raise NoPortfolio(f"account {account_id} has no portfolio row")
    return Portfolio.objects.get(account_id=account_id)
