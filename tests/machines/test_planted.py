"""A machine that finds no planted bug proves nothing: each of these is one that order paths are known for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis.stateful import run_state_machine_as_test

from execution import drive, record
from execution.states import TERMINAL_ORDER, IllegalMove, OrderStatus, PositionStatus
from execution.steps import Kind
from market.exchange import ExchangeError
from market.orders import OrderReport, ReportStatus
from proof.database import Database
from proof.planted import planted
from tests.machines.running import LONG, SEARCH
from tests.machines.test_order_life import OrderLife, raise_bots

Plant = Callable[[pytest.MonkeyPatch], None]


def _exit_while_its_stop_is_unknown(patch: pytest.MonkeyPatch) -> None:
    """A stop of which nothing is known is taken for one that is not there."""
    real = drive.next_step

    def hasty(scene: Any) -> Any:
        known = tuple(w for w in scene.working if w.kind is not Kind.STOP or w.status is not OrderStatus.UNKNOWN)
        return real(replace(scene, working=known))

    patch.setattr(drive, "next_step", hasty)
    patch.setattr("execution.submit._held", _look_without_orders)


def _look_without_orders(position_id: int, status: PositionStatus) -> Any:
    """The second look misses it too, and so that the database's own rule does, the stop is given up."""
    from execution.models import Order, Position, Purpose

    stops = Order.objects.filter(position=position_id, purpose=Purpose.STOP, status=OrderStatus.UNKNOWN)
    stops.update(status=OrderStatus.ABSENT)
    return Position.objects.select_related("bot__account", "bot__book").get(pk=position_id, status=status)


def _error_is_not_found(patch: pytest.MonkeyPatch) -> None:
    """A question that got no answer counts as "there is no such order"."""
    real = OrderLife.means

    def means(self: OrderLife) -> Any:
        made = real(self)
        query = self.executor.query

        def deaf(request: Any, sent: Any, now: Any) -> OrderReport:
            try:
                return query(request, sent, now)
            except ExchangeError:
                return OrderReport(request.client_order_id, ReportStatus.ABSENT)

        return replace(made, executor=_Instead(made.executor, deaf))

    patch.setattr(OrderLife, "means", means)


class _Instead:
    """An executor of which one method is another's."""

    def __init__(self, executor: Any, query: Any) -> None:
        self._executor, self.query = executor, query

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)


def _closed_with_a_rest(patch: pytest.MonkeyPatch) -> None:
    """An exit that has ended has sold all."""

    def after_exit(order: OrderStatus, filled: Any, quantity: Any) -> PositionStatus:
        return PositionStatus.CLOSED if filled and order in TERMINAL_ORDER else PositionStatus.CLOSING

    patch.setattr(record, "after_exit", after_exit)


def _of_the_proof(name: str) -> Plant:
    return lambda patch: patch.setattr(OrderLife, "planted", name, raising=False)


PLANTED: dict[str, Plant] = {
    "fills are booked twice": _of_the_proof("fills are booked twice"),
    "the fee in base is forgotten": _of_the_proof("the fee in base is forgotten"),
    "an exit beside its stop": _of_the_proof("an exit beside its stop"),
    "an exit while its stop is unknown": _exit_while_its_stop_is_unknown,
    "an error counts as not found": _error_is_not_found,
    "closed with a rest": _closed_with_a_rest,
}

QUICK = ("fills are booked twice",)
"""Found within a second or two; the others take up to half a minute each, and belong to the long runs."""


@pytest.fixture(scope="module")
def two_bots(database: Database) -> None:
    raise_bots(database)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_found(name: str, database: Database, two_bots: None, monkeypatch: pytest.MonkeyPatch) -> None:
    if name not in QUICK and not LONG:
        pytest.skip("takes long: HYPOTHESIS_PROFILE=proof runs it")
    OrderLife.database = database
    PLANTED[name](monkeypatch)
    of_the_proof = getattr(OrderLife, "planted", None)
    with planted(of_the_proof), pytest.raises((AssertionError, ValueError, IllegalMove)):
        run_state_machine_as_test(OrderLife, settings=SEARCH)
