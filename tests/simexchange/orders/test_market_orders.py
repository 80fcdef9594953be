"""Orders against the book: what is refused, what fills, and where every unit of money goes."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simexchange.errors.api_error import ApiError
from simexchange.market.depth import Book, Level, book
from simexchange.market.instruments import Instrument
from simexchange.orders.account import Account
from simexchange.orders.fees import Fees
from simexchange.orders.order import Balance, NewOrder, Order, OrderType, Side, Status
from simexchange.orders.placing import place
from simexchange.orders.taking import Terms

D = Decimal
PAIR = Instrument("BTC", "USDT", D("0.01"), D("0.00001"), D(5), D(40), D(20_000))
ALT = Instrument("ADA", "BTC", D("0.00000001"), D("0.1"), D("0.0001"), D(500_000), D(2))
NOW_MS = 1_760_000_000_000


def terms(offers: Book | None = None, fee: str = "0.001", average: str = "50000") -> Terms:
    offered = offers or book(PAIR, 50_000 * 10**8, 40)
    return Terms(PAIR, 50_000 * 10**8, offered, D(average), Fees(D(fee), D(fee)), NOW_MS)


def wish(
    side: Side = Side.BUY, quantity: str | None = None, quote: str | None = None, client_id: str = "a"
) -> NewOrder:
    given_quantity = None if quantity is None else D(quantity)
    given_quote = None if quote is None else D(quote)
    return NewOrder("BTCUSDT", side, OrderType.MARKET, client_id, given_quantity, given_quote)


def rich() -> Account:
    return Account({"USDT": Balance(D(10_000_000)), "BTC": Balance(D(1000))})


TWO_LEVELS = Book([Level(D(99), D(1)), Level(D(98), D(2))], [Level(D(101), D(1)), Level(D(102), D(2))])


def test_a_buy_walks_up_the_offers_and_pays_its_fee_in_base() -> None:
    outcome = place(rich(), wish(quantity="2"), terms(TWO_LEVELS))
    assert [(fill.price, fill.quantity) for fill in outcome.fills] == [(D(101), D(1)), (D(102), D(1))]
    assert [(fill.commission, fill.commission_asset) for fill in outcome.fills] == [(D("0.001"), "BTC")] * 2
    assert outcome.order.status is Status.FILLED
    assert outcome.order.quote_executed == D(203)
    assert outcome.balances == {"BTC": Balance(D("1001.998")), "USDT": Balance(D(10_000_000 - 203))}


def test_a_sell_walks_down_the_bids_and_pays_its_fee_in_quote() -> None:
    outcome = place(rich(), wish(Side.SELL, quantity="1.5"), terms(TWO_LEVELS))
    assert [fill.price for fill in outcome.fills] == [D(99), D(98)]
    assert sum(fill.commission for fill in outcome.fills) == D("0.148")
    assert outcome.balances["USDT"].free == D(10_000_000) + D(148) - D("0.148")


def test_what_the_book_cannot_fill_expires() -> None:
    outcome = place(rich(), wish(quantity="10"), terms(TWO_LEVELS))
    assert (outcome.order.status, outcome.order.quantity, outcome.order.executed) == (Status.EXPIRED, D(10), D(3))


@pytest.mark.parametrize("side", list(Side))
def test_an_order_given_in_quote_never_exceeds_it(side: Side) -> None:
    order = place(rich(), wish(side, quote="250"), terms(TWO_LEVELS)).order
    price = D(102) if side is Side.BUY else D(98)
    assert order.quote_executed <= 250 < order.quote_executed + price * PAIR.step
    assert order.quantity == order.executed
    assert order.status is Status.FILLED


REFUSALS = [
    (wish(quantity="0"), -1013, "Invalid quantity."),
    (wish(quantity="0.000001"), -1013, "Filter failure: LOT_SIZE"),
    (wish(quantity="0.123456"), -1013, "Filter failure: LOT_SIZE"),
    (wish(quantity="9000001"), -1013, "Filter failure: LOT_SIZE"),
    (wish(quantity="41"), -1013, "Filter failure: MARKET_LOT_SIZE"),
    (wish(quantity="0.00009"), -1013, "Filter failure: NOTIONAL"),
    (wish(quote="4.99"), -1013, "Filter failure: NOTIONAL"),
    (wish(quote="0"), -1013, "Invalid quantity."),
    (wish(quote="9000000"), -1013, "Filter failure: MARKET_LOT_SIZE"),
    (wish(quantity="30"), -2010, "Account has insufficient balance for requested action."),
    (wish(quote="100000.01"), -2010, "Account has insufficient balance for requested action."),
    (wish(Side.SELL, quantity="1.00001"), -2010, "Account has insufficient balance for requested action."),
]


@pytest.mark.parametrize(("order", "code", "msg"), REFUSALS)
def test_refusals(order: NewOrder, code: int, msg: str) -> None:
    account = Account({"USDT": Balance(D(100_000)), "BTC": Balance(D(1))})
    with pytest.raises(ApiError) as refusal:
        place(account, order, terms())
    assert (refusal.value.code, refusal.value.msg) == (code, msg)
    assert account == Account({"USDT": Balance(D(100_000)), "BTC": Balance(D(1))})


def test_exactly_the_whole_balance_may_be_sold() -> None:
    account = Account({"BTC": Balance(D(1))})
    assert place(account, wish(Side.SELL, quantity="1"), terms()).balances["BTC"].free == 0


def test_locked_money_cannot_be_spent() -> None:
    account = Account({"BTC": Balance(D("0.5"), D("0.5"))})
    with pytest.raises(ApiError, match="insufficient balance"):
        place(account, wish(Side.SELL, quantity="1"), terms())


def test_a_client_id_is_free_again_once_its_order_is_filled() -> None:
    account = rich()
    for expected_id in (1, 2):
        outcome = place(account, wish(quantity="0.1", client_id="same"), terms())
        account.take(outcome)
        assert outcome.order.order_id == expected_id
    assert account.open_orders == {}


def test_a_client_id_of_a_resting_order_is_refused() -> None:
    account = rich()
    resting = Order(
        "ETHUSDT", 1, "same", Side.BUY, OrderType.MARKET, D(1), D(0), D(0), D(0), Status.NEW, NOW_MS, NOW_MS
    )
    account.open_orders["ETHUSDT", 1] = resting
    with pytest.raises(ApiError, match="-2010 Duplicate order sent"):
        place(account, wish(quantity="0.1", client_id="same"), terms())


quantities = st.integers(20, 4_000_000).map(lambda steps: str(D(steps) * PAIR.step))
quotes = st.decimals(5, 300_000, places=8).map(str)
wishes = st.builds(wish, st.sampled_from(Side), quantities, st.none()) | st.builds(
    wish, st.sampled_from(Side), st.none(), quotes
)


@settings(max_examples=60, deadline=None)
@given(orders=st.lists(st.tuples(wishes, st.integers(10_000, 90_000_00)), min_size=1, max_size=25))
def test_money_is_conserved_to_the_last_digit(orders: list[tuple[NewOrder, int]]) -> None:
    """After any sequence of orders the balances are the deposits plus the sum of all fills and fees."""
    deposits = {"USDT": D(1_000_000), "BTC": D(10)}
    account = Account({asset: Balance(amount) for asset, amount in deposits.items()})
    fills = []
    for order, cents in orders:
        last, fees = cents * 10**6, Fees(D("0.00075"), D("0.00075"))
        market = Terms(PAIR, last, book(PAIR, last, 40), D(cents) / 100, fees, NOW_MS)
        try:
            outcome = place(account, order, market)
        except ApiError:
            continue
        account.take(outcome)
        fills += outcome.fills
        assert outcome.order.executed == sum(fill.quantity for fill in outcome.fills)
        assert outcome.order.quote_executed == sum(fill.quote_quantity for fill in outcome.fills)
    expected = dict(deposits)
    for fill in fills:
        sign = 1 if fill.side is Side.BUY else -1
        expected["BTC"] += sign * fill.quantity
        expected["USDT"] -= sign * fill.quote_quantity
        expected[fill.commission_asset] -= fill.commission
    assert {asset: balance.free for asset, balance in account.balances.items()} == expected
    assert all(amount >= 0 for amount in expected.values())
    assert [fill.trade_id for fill in fills] == list(range(1, len(fills) + 1))


def test_values_finer_than_the_wire_are_cut_once_for_all() -> None:
    """0.00005331 BTC x 100.1 ADA has ten decimals: fill, order and balance must agree on the same eight."""
    offers = Book([], [Level(D("0.00005331"), D(1000))])
    account = Account({"BTC": Balance(D(1))})
    order = NewOrder("ADABTC", Side.BUY, OrderType.MARKET, "a", D("100.1"), None)
    fees = Fees(D("0.001"), D("0.001"))
    outcome = place(account, order, Terms(ALT, 5330, offers, D("0.00005331"), fees, NOW_MS))
    value = (D("0.00005331") * D("100.1")).quantize(D("0.00000001"), ROUND_DOWN)
    assert outcome.fills[0].quote_quantity == outcome.order.quote_executed == value
    assert outcome.balances["BTC"].free == 1 - value


@settings(max_examples=60)
@given(price=st.integers(1, 10**15), levels=st.integers(1, 60))
def test_the_book_is_ordered_on_ticks_and_around_the_price(price: int, levels: int) -> None:
    for instrument in (PAIR, ALT):
        on_tick = max(price // instrument.tick_e8, 2) * instrument.tick_e8
        offered = book(instrument, on_tick, levels)
        asks, bids = [level.price for level in offered.asks], [level.price for level in offered.bids]
        last = D(on_tick).scaleb(-8)
        assert asks == sorted(set(asks))
        assert bids == sorted(set(bids), reverse=True)
        assert bids[0] < last < asks[0]
        assert all(value % instrument.tick == 0 and value > 0 for value in asks + bids)
        assert all(level.quantity % instrument.step == 0 for level in offered.asks + offered.bids)
        assert book(instrument, on_tick, levels) == offered
