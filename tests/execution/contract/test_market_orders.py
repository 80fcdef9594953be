"""Orders at the market fill at once, or end."""

import pytest

from market.orders import ReportStatus, Side
from tests.execution.contract.venue import CALM, MORE_THAN_THE_BOOK, D, order, require_whole, total


@pytest.mark.parametrize(("side", "low", "high"), [(Side.BUY, D(100), D(101)), (Side.SELL, D(99), D(100))])
def test_it_fills_at_once_against_us(orders, side, low, high):
    request = order(side)
    report = orders.submit(request)
    require_whole(request, report)
    assert all(low < fill.price < high or fill.price in (low, high) for fill in report.fills)
    assert orders.query(request) == report


@pytest.mark.parametrize("side", list(Side))
def test_what_the_book_does_not_hold_expires_and_the_part_is_ours(orders, side):
    request = order(side, MORE_THAN_THE_BOOK)
    report = orders.submit(request)
    assert report.status is ReportStatus.EXPIRED
    assert 0 < total(report) < request.amount
    assert orders.query(request) == report


def test_a_buy_within_its_worst_price_fills(orders):
    request = order(worst_price=D(101))
    report = orders.submit(request)
    require_whole(request, report)
    assert max(fill.price for fill in report.fills) <= D(101)


def test_a_buy_never_pays_more_than_its_worst_price(orders):
    request = order(worst_price=D(100))
    report = orders.submit(request)
    assert report.status in (ReportStatus.EXPIRED, ReportStatus.REJECTED)
    assert report.fills == ()


def test_fills_lie_between_the_sending_and_the_asking(orders):
    request, before = order(), orders.venue.now()
    report = orders.submit(request)
    assert all(before.market_at <= fill.executed_at <= orders.venue.now().market_at for fill in report.fills)


def test_one_after_the_other_are_two(orders):
    first, second = order(), order()
    reports = [orders.submit(first), orders.submit(second)]
    assert reports[0].exchange_order_id != reports[1].exchange_order_id
    assert not {fill.trade_id for fill in reports[0].fills} & {fill.trade_id for fill in reports[1].fills}
    assert [one.symbol for one in (first, second)] == [CALM, CALM]
