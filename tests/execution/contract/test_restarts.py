"""Nothing that matters is in our process: a new one finds every order as the old one left it."""

from functools import partial

import pytest

from market.orders import ReportStatus
from tests.execution.contract.venue import buy_limit, order, require_whole, sell_stop


@pytest.fixture(params=["ours", "theirs"])
def restarted(request, venue):
    """Ends and begins a process: ours, or the exchange's."""
    return {"ours": venue.restart, "theirs": venue.restart_exchange}[request.param]


def test_a_filled_order_keeps_its_fills(orders, restarted):
    request = order()
    report = orders.submit(request)
    restarted()
    assert orders.query(request) == report


@pytest.mark.parametrize("made", [partial(buy_limit, "99"), partial(sell_stop, "95", "94")], ids=["limit", "stop"])
def test_a_resting_order_still_rests_and_ends(orders, restarted, made):
    request_ = made()
    report = orders.submit(request_)
    restarted()
    assert orders.query(request_) == report
    assert orders.cancel(request_).status is ReportStatus.CANCELED


def test_a_bid_is_filled_after_it(orders, venue, restarted):
    course = venue.falling()
    request = buy_limit("99.5", symbol=course.symbol)
    orders.submit(request)
    restarted()
    course.step()
    require_whole(request, orders.query(request))


def test_a_stop_sells_after_it(orders, venue, restarted):
    course = venue.falling()
    stop = sell_stop("99.5", "95", symbol=course.symbol)
    orders.submit(stop)
    restarted()
    course.step()
    require_whole(stop, orders.query(stop))


def test_a_stop_that_a_gap_has_jumped_is_still_a_limit_order_after_it(orders, venue):
    course = venue.falling()
    stop = sell_stop("99.5", "99.4", symbol=course.symbol)
    orders.submit(stop)
    course.step()
    before = orders.query(stop)
    venue.restart()
    assert orders.query(stop) == before
    assert orders.cancel(stop).status is ReportStatus.CANCELED


def test_an_order_that_was_cancelled_stays_so(orders, restarted):
    request = buy_limit("99")
    orders.submit(request)
    orders.cancel(request)
    restarted()
    assert orders.query(request).status is ReportStatus.CANCELED
