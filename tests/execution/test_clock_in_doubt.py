"""Nothing enters by a clock that cannot be believed: neither through the gate, nor after it."""

from datetime import timedelta

import pytest

from execution import crash_points
from execution.models import Order
from execution.states import OrderStatus
from risk.models import DeadMansSwitch
from risk.verdicts import Approved, Refused
from tests.execution.test_orders_and_money import NOW, buy
from tests.factories import make_bot
from tests.fakes import ScriptedExecutor, filled_at

pytestmark = pytest.mark.django_db

DOUBTS = {
    "this machine's clock went back": {"high_water_at": NOW.wall_at + timedelta(seconds=61)},
    "this machine's clock was seen to jump": {"clock_suspect_at": NOW.wall_at},
}


@pytest.fixture
def executor():
    return ScriptedExecutor(filled_at("60000"))


def as_the_order_is_about_to_leave(what):
    """Between the review and the send."""

    def reached(moment):
        if moment == "entry_intended":
            DeadMansSwitch.objects.update(**what)

    crash_points.on_reached = reached


@pytest.fixture(autouse=True)
def _no_crash_points():
    yield
    crash_points.on_reached = None


@pytest.mark.parametrize(("why", "row"), DOUBTS.items(), ids=["back", "jump"])
def test_the_gate_refuses_and_says_why(executor, why, row):
    bot = make_bot()
    DeadMansSwitch.objects.update(**row)
    verdict = buy(bot, executor)
    assert isinstance(verdict, Refused)
    assert why in verdict.reason
    assert not executor.sent


@pytest.mark.parametrize(("why", "row"), DOUBTS.items(), ids=["back", "jump"])
def test_what_was_approved_a_moment_before_does_not_leave(executor, why, row):
    bot = make_bot()
    as_the_order_is_about_to_leave(row)
    assert isinstance(buy(bot, executor), Approved)
    order = Order.objects.get()
    assert (order.status, order.sent_at) == (OrderStatus.CANCELED, None)
    assert not executor.sent


def test_a_clock_that_is_a_little_behind_is_believed(executor):
    bot = make_bot()
    DeadMansSwitch.objects.update(high_water_at=NOW.wall_at + timedelta(seconds=60))
    assert isinstance(buy(bot, executor), Approved)
