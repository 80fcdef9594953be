"""LiveTrader and its order desk against the simulated exchange over HTTP."""

from collections.abc import Iterator
from decimal import Decimal as D

import pytest

from market.orders import OrderType, ReportStatus, Side
from tests.live import Venue, order, venue_with

pytestmark = pytest.mark.process


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Venue]:
    with venue_with(tmp_path_factory.mktemp("venue")) as venue:
        yield venue


@pytest.fixture
def venue(started: Venue) -> Venue:
    return started.fresh()


def test_a_buy_at_the_market_is_filled_and_found_again(venue):
    request, now = order(Side.BUY, D("0.01"), worst_price=venue.near("1.001")), venue.now()
    report = venue.trader().submit(request, now)
    assert (report.status, sum(fill.amount for fill in report.fills)) == (ReportStatus.FILLED, D("0.01"))
    assert all(fill.price <= request.worst_price for fill in report.fills)
    assert venue.trader().query(request, now, venue.now()) == report


def test_a_stop_rests_and_is_cancelled(venue):
    prices = {"price": venue.near("0.94"), "stop_price": venue.near("0.95")}
    stop = order(Side.SELL, D("0.1"), OrderType.STOP_LOSS_LIMIT, **prices)
    assert venue.trader().submit(stop, venue.now()).status is ReportStatus.NEW
    assert venue.trader().cancel(stop, venue.now()).status is ReportStatus.CANCELED
    assert venue.trader().cancel(stop, venue.now()).status is ReportStatus.CANCELED
