"""An order is there once, whatever happens to the request and its answer."""

import time

import pytest

from market.exchange import OutcomeUnknown, Transient
from market.orders import ReportStatus
from tests.execution.contract.venue import buy_limit, order, require_whole


def test_a_name_that_rests_is_not_taken_twice(orders, venue):
    request = buy_limit("99")
    report = orders.submit(request)
    try:
        again = orders.submit(request)
    except OutcomeUnknown:
        again = orders.query(request)
    assert again == report
    assert venue.orders_named(request.client_order_id) == 1


def test_a_name_that_was_filled_is_not_taken_twice(orders, venue):
    if not venue.refuses_known_names:
        pytest.skip("the exchange takes the name of a filled order again: nothing of ours ever sends it twice")
    request = order()
    report = orders.submit(request)
    assert orders.submit(request) == report
    assert venue.orders_named(request.client_order_id) == 1


LOST = {
    "timeout": "timeout_after",
    "reset": "reset_after",
    "503": {"kind": "http", "when": "after"},
    "-1007": {"kind": "error", "code": -1007, "when": "after"},
    "no json": "html_200",
    "half an answer": "truncated",
}


@pytest.mark.usefixtures("network")
@pytest.mark.parametrize("what", LOST.values(), ids=LOST.keys())
def test_an_order_whose_answer_is_lost_is_found(orders, venue, what):
    venue.fault(what, "POST /api/v3/order", times=1)
    request = order()
    with pytest.raises(OutcomeUnknown):
        orders.submit(request)
    require_whole(request, orders.query(request))
    assert venue.orders_named(request.client_order_id) == 1


@pytest.mark.usefixtures("network")
def test_an_order_that_never_arrived_is_absent_in_the_end(orders, venue):
    venue.fault("reset_before", "POST /api/v3/order", times=1)
    request = order()
    with pytest.raises(OutcomeUnknown):
        orders.submit(request)
    with pytest.raises(Transient):
        orders.query(request)
    assert orders.query_later(request).status is ReportStatus.ABSENT


@pytest.mark.usefixtures("network")
def test_an_order_that_is_accepted_late_is_found_late(orders, venue):
    venue.fault({"kind": "delayed_acceptance", "delay_s": 0.5, "answer": "reset"}, "POST /api/v3/order", times=1)
    request = order()
    with pytest.raises(OutcomeUnknown):
        orders.submit(request)
    with pytest.raises(Transient):
        orders.query(request)
    time.sleep(0.6)
    require_whole(request, orders.query(request))
