"""A cancel says what the order has come to, however late it comes."""

import pytest

from market.exchange import Transient
from market.orders import ReportStatus
from tests.execution.contract.venue import MORE_THAN_THE_BOOK, SHUT, buy_limit, order, require_whole, sell_stop, total


@pytest.mark.parametrize("request_", [buy_limit("99"), sell_stop("95", "94")], ids=["limit", "stop"])
def test_a_resting_order_ends(orders, request_):
    orders.submit(request_)
    report = orders.cancel(request_)
    assert (report.client_order_id, report.status, report.fills) == (
        request_.client_order_id,
        ReportStatus.CANCELED,
        (),
    )
    assert orders.query(request_).status is ReportStatus.CANCELED


def test_twice_is_as_good_as_once(orders):
    request = buy_limit("99")
    orders.submit(request)
    assert orders.cancel(request) == orders.cancel(request)


def test_of_a_filled_one_tells_its_fills(orders):
    request = order()
    report = orders.submit(request)
    assert orders.cancel(request) == report


def test_of_an_expired_one_tells_its_part(orders):
    request = order(amount=MORE_THAN_THE_BOOK)
    report = orders.submit(request)
    assert orders.cancel(request) == report


def test_that_comes_after_the_fill_tells_the_fill(orders, venue):
    course = venue.falling()
    request = buy_limit("99.5", symbol=course.symbol)
    orders.submit(request)
    course.step()
    require_whole(request, orders.cancel(request))


def test_of_one_filled_in_part_keeps_the_part(orders, venue):
    course = venue.falling()
    request = buy_limit("99.01", "5", course.symbol)
    orders.submit(request)
    course.step()
    report = orders.cancel(request)
    assert report.status is ReportStatus.CANCELED
    assert 0 < total(report) < 5
    assert orders.query(request) == report
    course.step()
    assert orders.query(request) == report


def test_of_an_unknown_one_proves_nothing(orders):
    with pytest.raises(Transient):
        orders.cancel(order())


def test_works_while_the_symbol_is_halted(orders, venue):
    request = buy_limit("99", symbol=SHUT)
    orders.submit(request)
    venue.halt(SHUT)
    assert orders.query(request).status is ReportStatus.NEW
    assert orders.cancel(request).status is ReportStatus.CANCELED


@pytest.mark.usefixtures("network")
def test_whose_answer_is_lost_is_asked_again(orders, venue):
    request = buy_limit("99")
    orders.submit(request)
    venue.fault("timeout_after", "DELETE /api/v3/order", times=1)
    with pytest.raises(Transient):
        orders.cancel(request)
    assert orders.cancel(request).status is ReportStatus.CANCELED
