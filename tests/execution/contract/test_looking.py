"""Questions about orders: what is not found is not absent until that is proven."""

import time
from dataclasses import replace

import pytest

from market.exchange import Transient
from market.orders import ReportStatus
from tests.execution.contract.venue import buy_limit, order, require_whole


def test_an_order_that_was_never_sent_is_absent_in_the_end(orders):
    report = orders.query_later(order())
    assert (report.status, report.fills) == (ReportStatus.ABSENT, ())
    assert report.reason


@pytest.mark.usefixtures("network")
def test_an_order_that_may_still_arrive_is_not_absent(orders):
    with pytest.raises(Transient):
        orders.query(order())


def test_an_order_that_the_caller_never_recorded_is_found(orders, venue):
    request = order()
    report = venue.executor.submit(request, venue.now())
    assert orders.query(request) == report
    assert orders.query_later(request) == report


def test_asking_again_changes_nothing(orders):
    request = order()
    reports = [orders.submit(request), *(orders.query(request) for _ in range(3))]
    assert reports == [reports[0]] * 4
    require_whole(request, reports[0])


@pytest.mark.usefixtures("network")
def test_what_is_not_found_at_once_is_found_later(orders, venue):
    venue.fault({"kind": "query_lag", "lag_ms": 600}, "GET /api/v3/order", for_s=30)
    request = order()
    report = orders.submit(request)
    with pytest.raises(Transient):
        orders.query(request)
    assert _asked_until_found(orders, request) == report


@pytest.mark.usefixtures("network")
def test_a_question_without_an_answer_proves_nothing(orders, venue):
    request = order()
    report = orders.submit(request)
    venue.fault("reset_before", "GET /api/v3/order", times=1)
    with pytest.raises(Transient):
        orders.query_later(request)
    assert orders.query_later(request) == report


@pytest.mark.usefixtures("network")
def test_a_lagging_exchange_does_not_make_an_order_absent(orders, venue):
    """GET order finds nothing although the window has passed; the listings know better."""
    venue.fault({"kind": "query_lag", "lag_ms": 60_000}, "GET /api/v3/order", for_s=30)
    request = order()
    orders.submit(request)
    require_whole(request, orders.query_later(request))


def test_a_resting_order_is_known_by_its_own_name_alone(orders):
    request = buy_limit("99")
    orders.submit(request)
    other = replace(request, client_order_id=f"{request.client_order_id}-x")
    assert orders.query_later(other).status is ReportStatus.ABSENT
    assert orders.query(request).status is ReportStatus.NEW


def _asked_until_found(orders, request):
    until = time.monotonic() + 5
    while True:
        try:
            return orders.query(request)
        except Transient:
            assert time.monotonic() < until, "never found"
            time.sleep(0.05)
