"""What an exchange refuses never was in its book: the report says so, and why."""

import pytest

from market.orders import ReportStatus, Side
from tests.execution.contract.venue import (
    CALM,
    MAX_AMOUNT,
    NO_BASE,
    NO_EUR,
    SHUT,
    buy_limit,
    order,
    sell_limit,
    sell_stop,
    total,
)

BROKEN_RULES = {
    "lot step": order(amount="0.1005"),
    "least amount": order(amount="0.0001"),
    "largest amount": order(Side.SELL, MAX_AMOUNT * 2),
    "least notional": order(amount="0.01"),
    "least notional of a limit": buy_limit("90", "0.05"),
    "price step": buy_limit("99.001"),
    "stop price step": sell_stop("95.001", "94"),
    "unknown symbol": order(symbol="WHAT/USDT"),
    "not enough quote": order(symbol=NO_EUR),
    "not enough quote for a limit": buy_limit("99", symbol=NO_EUR),
    "not enough base": order(Side.SELL, symbol=NO_BASE),
    "not enough base for a limit": sell_limit("101", symbol=NO_BASE),
    "not enough base for a stop": sell_stop("95", "94", symbol=NO_BASE),
}


@pytest.mark.parametrize("request_", BROKEN_RULES.values(), ids=BROKEN_RULES.keys())
def test_it_is_rejected_with_a_reason(orders, request_):
    report = orders.submit(request_)
    assert (report.status, report.fills) == (ReportStatus.REJECTED, ())
    assert report.reason
    assert report.client_order_id == request_.client_order_id


def test_a_halted_symbol_takes_no_orders(orders, venue):
    venue.halt(SHUT)
    report = orders.submit(order(symbol=SHUT))
    assert (report.status, report.fills) == (ReportStatus.REJECTED, ())


def test_a_refused_order_is_never_found_filled(orders):
    request = order(amount="0.1005")
    orders.submit(request)
    report = orders.query_later(request)
    assert report.status in (ReportStatus.REJECTED, ReportStatus.ABSENT)
    assert report.fills == ()


def test_after_a_refusal_the_next_order_goes_through(orders):
    orders.submit(order(amount="0.1005"))
    request = order(symbol=CALM)
    assert total(orders.submit(request)) == request.amount
