"""Bugs for the races to find: mistakes at the gate that show only when many come at once, or when somebody dies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db import connection

from execution import intents, lock, submit
from execution.intents import write_entry
from execution.models import Portfolio
from execution.portfolio import read_exposure
from execution.totals import value
from market.money import ZERO


def _no_lock(stack: ExitStack) -> None:
    """The portfolio is read, not locked. SQLite lets one transaction write at a time whatever we do."""
    stack.enter_context(
        patch.object(lock, "lock_portfolio", lambda account_id: Portfolio.objects.get(account_id=account_id))
    )


def _two_transactions(stack: ExitStack) -> None:
    """The decision is committed, and then the order."""

    def later(*arguments: Any) -> Any:
        raw: Any = connection.connection
        raw.commit()
        if connection.vendor == "sqlite":
            raw.execute("BEGIN IMMEDIATE")
        return write_entry(*arguments)

    stack.enter_context(patch.object(submit, "write_entry", later))


def _reserved_does_not_count(stack: ExitStack) -> None:
    """Exposure begins with the fill: what is on its way leaves room for others."""
    stack.enter_context(patch.object(intents, "value", lambda position, held, _: value(position, held, ZERO)))


def _decided_before_the_lock(stack: ExitStack) -> None:
    """The totals are those of a moment ago."""
    kept: dict[int, Portfolio] = {}

    def stale(portfolio: Portfolio, *rest: Any) -> Any:
        return read_exposure(kept.setdefault(portfolio.account_id, portfolio), *rest)

    stack.enter_context(patch.object(submit, "read_exposure", stale))


def _approved_without_an_order(stack: ExitStack) -> None:
    """The decision is written, and somebody else is to write the order."""
    stack.enter_context(patch.object(submit, "write_entry", lambda *_: None))


PLANTED: dict[str, Callable[[ExitStack], None]] = {
    "the gate takes no lock": _no_lock,
    "decision and order are two transactions": _two_transactions,
    "what is reserved does not count": _reserved_does_not_count,
    "totals are read before the lock": _decided_before_the_lock,
    "an approval without an order": _approved_without_an_order,
}

ONLY_ON_POSTGRESQL = frozenset({"the gate takes no lock", "decision and order are two transactions"})
"""What a few rounds on SQLite do not show: there whoever writes is alone anyway."""


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """With the bug of that name in the code; None for the code as it is. Raises KeyError."""
    with ExitStack() as stack:
        if name is not None:
            PLANTED[name](stack)
        yield
