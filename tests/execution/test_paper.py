"""PaperTrader: live prices, our own fills, no worse than was reserved, and a book that survives a restart."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.fills import CostModel, draw, market_fill
from execution.models import AssetBalance, PaperFill, PaperOrder
from execution.paper import PaperTrader
from execution.paper_book import PaperBook
from market.exchange import Quote, Transient
from market.orders import OrderRequest, OrderType, ReportStatus, Side
from tests.factories import instrument, make_account, now_at
from tests.fakes import quote

pytestmark = pytest.mark.django_db

D = Decimal
NOW, LATER = now_at(), now_at(after_ms=60_000)
INSTRUMENTS = {symbol: instrument(symbol) for symbol in ("BTC/USDT", "BNB/USDT")}


class Screen:
    """The quotes that the traders of a test see."""

    def __init__(self, price: str = "60000") -> None:
        self.quotes = {"BTC/USDT": quote("BTC/USDT", price), "BNB/USDT": quote("BNB/USDT", "600")}
        self.down = False

    def show(self, price: str, bid: str | None = None) -> None:
        self.quotes["BTC/USDT"] = Quote("BTC/USDT", D(bid or price), D(price), D(price), 0)

    def __call__(self, symbol: str) -> Quote:
        if self.down:
            raise Transient("down")
        return self.quotes[symbol]


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def account():
    """One that can buy and sell what the tests ask for."""
    account = make_account()
    AssetBalance.objects.create(account=account, asset="BTC", amount=D(1))
    return account


@pytest.fixture
def poor():
    """An account of 1,000 USDT and nothing else."""
    return make_account("1000")


@pytest.fixture
def trader(screen, account) -> PaperTrader:
    return trader_of(account, screen)


def trader_of(account, screen, costs: CostModel | None = None) -> PaperTrader:
    book = PaperBook(account)
    return PaperTrader(book, screen, lambda: INSTRUMENTS, costs, book.free)


def request(side: Side = Side.BUY, amount: str = "0.01", symbol: str = "BTC/USDT", worst: str | None = None):
    bound = D(worst) if worst else None
    return OrderRequest("p-1-2-e", symbol, side, OrderType.MARKET, D(amount), worst_price=bound)


def limit(price: str, side: Side = Side.BUY, stop: str | None = None, amount: str = "0.01") -> OrderRequest:
    kind = OrderType.STOP_LOSS_LIMIT if stop else OrderType.LIMIT
    return OrderRequest("p-1-2-s", "BTC/USDT", side, kind, D(amount), D(price), D(stop) if stop else None)


@pytest.mark.parametrize(("side", "low", "high"), [(Side.BUY, "60012", "60060.01"), (Side.SELL, "59939.99", "59988")])
def test_slippage_is_two_to_ten_basis_points_against_us(trader, side, low, high):
    (fill,) = trader.submit(request(side), NOW).fills
    assert D(low) <= fill.price <= D(high)
    assert D("0.0001") <= fill.fee / (fill.price * fill.amount) <= D("0.00020001")
    assert 1 <= (fill.executed_at - NOW.market_at).total_seconds() * 1000 <= 5


def test_a_market_fill_is_the_cost_models_own(trader):
    expected = market_fill(request(), D(60000), draw(CostModel(), "p-1-2-e"), INSTRUMENTS["BTC/USDT"], NOW.market_at)
    assert trader.submit(request(), NOW).fills == (expected,)


def test_the_same_order_costs_the_same_again(screen):
    one, other = (trader_of(make_account(), screen).submit(request(), NOW) for _ in range(2))
    assert one == other


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (request(amount="0.000001"), "lot step"),
        (request(amount="0.00001"), "notional"),
        (request(symbol="FOO/USDT"), "unknown symbol"),
        (request(worst="60000"), "the price has moved"),
        (limit("50000.001"), "tick size"),
        (limit("0"), "tick size"),
        (limit("50000", Side.SELL, stop="50000.001"), "tick size"),
        (limit("59000", Side.SELL, stop="60000"), "trigger immediately"),
        (replace(limit("1"), price=None), "needs a price"),
        (replace(limit("59000", Side.SELL, stop="1"), stop_price=None), "needs a stop price"),
    ],
)
def test_what_an_exchange_would_refuse_is_refused(trader, asked, why):
    report = trader.submit(asked, NOW)
    assert report.status is ReportStatus.REJECTED
    assert why in report.reason
    assert trader.query(asked, NOW, LATER) == report


def test_without_a_price_nothing_is_filled(trader, screen):
    screen.down = True
    report = trader.submit(request(), NOW)
    assert (report.status, report.fills) == (ReportStatus.REJECTED, ())


def test_without_a_price_a_resting_order_stays_as_it_is_and_can_be_cancelled(trader, screen):
    trader.submit(limit("59000"), NOW)
    screen.down = True
    assert trader.query(limit("59000"), NOW, LATER).status is ReportStatus.NEW
    assert trader.cancel(limit("59000"), LATER).status is ReportStatus.CANCELED


def test_an_order_that_nobody_recorded_is_found_with_its_fills(trader, account, screen):
    report = trader.submit(request(), NOW)
    screen.show("50000")
    assert trader_of(account, screen).query(request(), NOW, LATER) == report


def test_the_name_of_an_order_that_never_came_is_crossed_out(trader):
    assert trader.query(request(), NOW, NOW).status is ReportStatus.ABSENT
    late = trader.submit(request(), LATER)
    assert (late.status, late.fills) == (ReportStatus.ABSENT, ())


def test_the_same_name_never_fills_twice(trader):
    first = trader.submit(request(), NOW)
    assert trader.submit(request(), LATER) == first
    assert PaperFill.objects.count() == 1


@pytest.mark.parametrize(
    ("asked", "price", "paid"),
    [
        (limit("59000"), "59000", "59000"),
        (limit("59000"), "58000", "59000"),
        (limit("61000", Side.SELL), "62000", "61000"),
    ],
)
def test_an_order_that_rests_fills_at_its_own_price(trader, screen, asked, price, paid):
    assert trader.submit(asked, NOW).status is ReportStatus.NEW
    screen.show(price)
    report = trader.query(asked, NOW, LATER)
    assert (report.status, [fill.price for fill in report.fills]) == (ReportStatus.FILLED, [D(paid)])
    assert trader.cancel(asked, LATER) == report


@pytest.mark.parametrize(("price", "paid"), [("60000.01", "60000.01"), ("70000", None)])
def test_a_limit_beyond_the_market_pays_like_a_market_order_but_never_more(trader, price, paid):
    (fill,) = trader.submit(limit(price), NOW).fills
    assert fill.price == (D(paid) if paid else market_price("p-1-2-s"))


def market_price(name: str) -> Decimal:
    asked = replace(request(), client_order_id=name)
    return market_fill(asked, D(60000), draw(CostModel(), name), INSTRUMENTS["BTC/USDT"], NOW.market_at).price


def test_a_stop_that_was_seen_is_remembered(trader, screen, account):
    stop = limit("59000", Side.SELL, stop="59500")
    trader.submit(stop, NOW)
    screen.show("58000")  # jumps over the limit
    assert trader.query(stop, NOW, LATER).status is ReportStatus.NEW
    assert PaperOrder.objects.get().triggered
    screen.show("59800", bid="59700")
    report = trader_of(account, screen).query(stop, NOW, LATER)
    assert (report.status, [fill.price for fill in report.fills]) == (ReportStatus.FILLED, [D(59000)])


def test_a_buy_stop_is_the_mirror_of_it(trader, screen):
    stop = limit("61500", stop="61000")
    assert trader.submit(stop, NOW).status is ReportStatus.NEW
    screen.show("61000")
    (fill,) = trader.query(stop, NOW, LATER).fills
    assert D(61000) < fill.price <= D(61500)


def test_a_look_that_came_too_late_is_dropped(account, screen):
    book = PaperBook(account)
    trader_of(account, screen).submit(limit("59000"), NOW)
    old = book.find("p-1-2-s")
    screen.show("59000")
    filled = trader_of(account, screen).query(limit("59000"), NOW, LATER)
    kept = book.move(old, replace(old, status=ReportStatus.CANCELED))
    assert kept.report() == filled
    assert PaperOrder.objects.get().status == ReportStatus.FILLED


def test_what_the_market_has_no_depth_for_expires_or_rests(account, screen):
    shallow = trader_of(account, screen, CostModel(depth_notional=D(300)))
    expired = shallow.submit(request(), NOW)
    assert (expired.status, [fill.amount for fill in expired.fills]) == (ReportStatus.EXPIRED, [D("0.00499")])
    shallow.submit(limit("60000", amount="0.012"), NOW)
    reports = [shallow.query(limit("60000", amount="0.012"), NOW, LATER) for _ in range(2)]
    assert [report.status for report in reports] == [ReportStatus.PARTIAL, ReportStatus.FILLED]
    assert [fill.amount for fill in reports[-1].fills] == [D("0.005"), D("0.005"), D("0.002")]
    assert [fill.trade_id for fill in reports[-1].fills] == ["p-1-2-s.1", "p-1-2-s.2", "p-1-2-s.3"]


@pytest.mark.parametrize(
    ("wanted", "currency", "price"), [("base", "BTC", None), ("BNB", "BNB", D(600)), ("XYZ", "USDT", None)]
)
def test_fees_are_taken_in_what_was_asked_where_it_has_a_price(account, screen, wanted, currency, price):
    costs = CostModel(fee_rate_min=D("0.001"), fee_rate_max=D("0.001"), fee_currency=wanted)
    (fill,) = trader_of(account, screen, costs).submit(request(), NOW).fills
    assert (fill.fee_currency, fill.fee_rate) == (currency, price)
    worth = fill.fee * {"BTC": fill.price, "BNB": D(600), "USDT": D(1)}[currency]
    assert abs(worth - fill.price * fill.amount * D("0.001")) < D("1e-6")


@pytest.mark.parametrize("figures", [{"depth_notional": D(0)}, {"depth_notional": D("NaN")}])
def test_a_depth_that_makes_no_sense_is_not_built(figures):
    with pytest.raises(ValueError, match="depth_notional"):
        CostModel(**figures)


def test_what_is_not_free_is_not_spent(poor, screen):
    trader = trader_of(poor, screen)
    trader.submit(limit("59000"), NOW)  # binds 590
    dear = trader.submit(replace(limit("59000"), client_order_id="p-2"), NOW)
    assert (dear.status, dear.reason[:20]) == (ReportStatus.REJECTED, "insufficient balance")
    trader.cancel(limit("59000"), NOW)
    again = trader.submit(replace(limit("59000"), client_order_id="p-3"), NOW)
    assert again.status is ReportStatus.NEW


def test_base_that_is_not_there_is_not_sold(poor, screen):
    trader = trader_of(poor, screen)
    assert trader.submit(request(Side.SELL), NOW).status is ReportStatus.REJECTED
    AssetBalance.objects.create(account=poor, asset="BTC", amount=D("0.01"))
    sold = trader.submit(replace(request(Side.SELL), client_order_id="p-2"), NOW)
    assert sold.status is ReportStatus.FILLED


def test_where_no_balances_are_kept_nobody_counts(poor, screen):
    AssetBalance.objects.all().delete()
    sold = trader_of(poor, screen).submit(request(Side.SELL), NOW)
    assert sold.status is ReportStatus.FILLED


def test_what_was_never_sent_is_not_known_to_have_ended(trader):
    with pytest.raises(Transient):
        trader.cancel(request(), NOW)
