"""Protective stops wait for their price, then sell with a limit."""

from market.orders import ReportStatus
from tests.execution.contract.venue import D, require_whole, sell_stop


def test_it_waits(orders):
    stop = sell_stop("95", "94")
    report = orders.submit(stop)
    assert (report.status, report.fills) == (ReportStatus.NEW, ())
    assert orders.query(stop) == report
    assert orders.cancel(stop).status is ReportStatus.CANCELED


def test_it_sells_once_its_price_was_touched(orders, venue):
    course = venue.falling()
    stop = sell_stop("99.5", "95", symbol=course.symbol)
    assert orders.submit(stop).status is ReportStatus.NEW
    course.step()
    report = orders.query(stop)
    require_whole(stop, report)
    assert all(D(95) <= fill.price < D(99) for fill in report.fills)


def test_jumped_over_by_a_gap_it_rests_and_can_be_cancelled(orders, venue):
    course = venue.falling()
    stop = sell_stop("99.5", "99.4", symbol=course.symbol)
    orders.submit(stop)
    course.step()
    report = orders.query(stop)
    assert (report.status, report.fills) == (ReportStatus.NEW, ())
    ended = orders.cancel(stop)
    assert (ended.status, ended.fills) == (ReportStatus.CANCELED, ())


def test_once_its_price_was_touched_it_stays_a_limit_order(orders, venue):
    """Back above its stop price, it sells at its limit."""
    course = venue.falling()
    stop = sell_stop("99.5", "99.4", symbol=course.symbol)
    orders.submit(stop)
    course.step()
    assert orders.query(stop).status is ReportStatus.NEW
    course.step()
    course.step()
    report = orders.query(stop)
    require_whole(stop, report)
    assert {fill.price for fill in report.fills} == {D("99.4")}


def test_above_the_market_it_is_refused(orders):
    report = orders.submit(sell_stop("101", "99"))
    assert (report.status, report.fills) == (ReportStatus.REJECTED, ())


def test_cancelling_it_frees_what_it_had_bound(orders):
    """The whole of what the account has of it is bound by the first stop, so the second needs the first one's end."""
    first, second = (sell_stop("95", "94", "90", symbol="SHUT/USDT") for _ in range(2))
    assert orders.submit(first).status is ReportStatus.NEW
    refused = orders.submit(second)
    assert (refused.status, refused.fills) == (ReportStatus.REJECTED, ())
    assert orders.cancel(first).status is ReportStatus.CANCELED
    third = sell_stop("95", "94", "90", symbol="SHUT/USDT")
    assert orders.submit(third).status is ReportStatus.NEW
