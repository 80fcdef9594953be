"""PaperTrader: live prices, our own fills, and no worse than was reserved."""

from decimal import Decimal

import pytest

from execution.paper import PaperTrader
from market.exchange import Transient
from market.orders import OrderRequest, OrderType, ReportStatus, Side
from tests.factories import instrument, now_at
from tests.fakes import quote

NOW = now_at()


def trader(price: str = "60000") -> PaperTrader:
    return PaperTrader(lambda symbol: quote(symbol, price), lambda: {"BTC/USDT": instrument()})


def request(side: Side = Side.BUY, amount: str = "0.01", symbol: str = "BTC/USDT", worst: str | None = None):
    bound = Decimal(worst) if worst else None
    return OrderRequest("p-1-2-e", symbol, side, OrderType.MARKET, Decimal(amount), worst_price=bound)


@pytest.mark.parametrize(("side", "low", "high"), [(Side.BUY, "60012", "60060.01"), (Side.SELL, "59939.99", "59988")])
def test_slippage_is_two_to_ten_basis_points_against_us(side, low, high):
    (fill,) = trader().submit(request(side), NOW).fills
    assert Decimal(low) <= fill.price <= Decimal(high)
    assert Decimal("0.0001") <= fill.fee / (fill.price * fill.amount) <= Decimal("0.00020001")
    assert 1 <= (fill.executed_at - NOW.market_at).total_seconds() * 1000 <= 5


def test_the_same_order_costs_the_same_again():
    assert trader().submit(request(), NOW) == trader().submit(request(), NOW)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request(amount="0.000001"), "lot step"),
        (request(amount="0.00001"), "notional"),
        (request(symbol="FOO/USDT"), "unknown symbol"),
        (request(worst="60000"), "the price has moved"),
    ],
)
def test_what_an_exchange_would_refuse_is_refused(asked, why):
    report = trader().submit(asked, NOW)
    assert report.status is ReportStatus.REJECTED
    assert why in report.reason


def test_without_a_price_nothing_is_filled():
    def down(_):
        raise Transient("down")

    report = PaperTrader(down, lambda: {"BTC/USDT": instrument()}).submit(request(), NOW)
    assert (report.status, report.fills) == (ReportStatus.REJECTED, ())


def test_an_order_that_was_not_recorded_never_was():
    assert trader().query(request(), NOW).status is ReportStatus.ABSENT
