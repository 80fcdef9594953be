"""Orders with a limit rest until the market comes to them."""

import pytest

from market.orders import ReportStatus
from tests.execution.contract.venue import D, buy_limit, require_whole, sell_limit, total


@pytest.mark.parametrize("request_", [buy_limit("99"), sell_limit("101")], ids=["buy", "sell"])
def test_beyond_the_market_it_rests(orders, request_):
    report = orders.submit(request_)
    assert (report.status, report.fills) == (ReportStatus.NEW, ())
    assert report.exchange_order_id
    assert orders.query(request_) == report


@pytest.mark.parametrize("request_", [buy_limit("101"), sell_limit("99")], ids=["buy", "sell"])
def test_within_the_market_it_fills_at_once_no_worse_than_its_price(orders, request_):
    report = orders.submit(request_)
    require_whole(request_, report)
    better = [fill.price < D(101) for fill in report.fills]
    assert all(better) if request_.side == "BUY" else all(fill.price > D(99) for fill in report.fills)


def test_a_bid_that_the_price_falls_to_is_filled_at_its_price(orders, venue):
    course = venue.falling()
    request = buy_limit("99.5", symbol=course.symbol)
    assert orders.submit(request).status is ReportStatus.NEW
    course.step()
    report = orders.query(request)
    require_whole(request, report)
    assert {fill.price for fill in report.fills} == {D("99.5")}


def test_an_offer_that_the_price_rises_to_is_filled_at_its_price(orders, venue):
    course = venue.rising()
    request = sell_limit("100.5", symbol=course.symbol)
    assert orders.submit(request).status is ReportStatus.NEW
    course.step()
    report = orders.query(request)
    require_whole(request, report)
    assert {fill.price for fill in report.fills} == {D("100.5")}


def test_a_part_fills_then_the_rest(orders, venue):
    course = venue.falling()
    request = buy_limit("99.01", "2", course.symbol)
    orders.submit(request)
    course.step()
    part = orders.query(request)
    assert part.status is ReportStatus.PARTIAL
    assert 0 < total(part) < 2
    course.step()
    whole = orders.query_until(request, lambda report: report.status is not ReportStatus.PARTIAL)
    require_whole(request, whole)
    assert whole.fills[: len(part.fills)] == part.fills


def test_a_limit_that_takes_what_there_is_rests_with_the_remainder(orders):
    request = buy_limit("100.01", "3")
    report = orders.submit(request)
    assert report.status is ReportStatus.PARTIAL
    assert 0 < total(report) < 3
    assert max(fill.price for fill in report.fills) <= D("100.01")


def test_while_its_symbol_is_halted_it_meets_nothing(orders, venue):
    course = venue.falling()
    request = buy_limit("99.5", symbol=course.symbol)
    orders.submit(request)
    venue.halt(course.symbol)
    course.step()
    assert orders.query(request).status is ReportStatus.NEW
    venue.resume(course.symbol)
    require_whole(request, orders.query(request))
