"""A disk that is full: nothing is sent without a durable intent, and no fill is lost that could not be booked."""

import pytest
from django.db import OperationalError, connection

from execution.drive import drive
from execution.models import Order, Position
from execution.states import OrderStatus, PositionStatus
from execution.submit import enter
from risk.decisions import Grounds
from tests.execution.test_drive import Exchange, means
from tests.execution.test_orders_and_money import NOW, check_totals, pricing, proposal
from tests.factories import SLOT_0, make_bot
from tests.fakes import filled_at

pytestmark = pytest.mark.django_db(transaction=True)


class Disk:
    """Between Django and its database: while it is full, nothing that writes comes through."""

    full = False

    def __call__(self, execute, sql, *rest):
        if self.full and sql.split(None, 1)[0] in ("INSERT", "UPDATE", "DELETE"):
            raise OperationalError("database or disk is full")
        return execute(sql, *rest)


@pytest.fixture
def disk():
    disk = Disk()
    with connection.execute_wrapper(disk):
        yield disk


def enter_once(bot, exchange) -> None:
    enter(bot, proposal(bot), pricing(), Grounds(SLOT_0), exchange, lambda: NOW)


def test_without_a_durable_intent_nothing_is_sent(disk):
    bot, exchange = make_bot(), Exchange()
    disk.full = True
    with pytest.raises(OperationalError, match="full"):
        enter_once(bot, exchange)
    assert not exchange.sent
    assert not Order.objects.exists()
    assert not Position.objects.exists()


def test_a_fill_that_could_not_be_booked_is_asked_for(disk):
    bot = make_bot()

    def filled_as_the_disk_fills_up(request, now):
        disk.full = True
        return filled_at("60000")(request, now)

    exchange = Exchange(at_market=[filled_as_the_disk_fills_up], at_query=[filled_at("60000")])
    with pytest.raises(OperationalError, match="full"):
        enter_once(bot, exchange)
    assert Order.objects.get().status == OrderStatus.SENT
    disk.full = False
    position = Position.objects.get()
    assert drive(position.pk, means(exchange)) is PositionStatus.OPEN
    assert len(exchange.stops) == 1
    assert len([request for request in exchange.sent if request.side == "BUY"]) == 1
    check_totals(bot.account)
