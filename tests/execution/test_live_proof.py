"""What LiveTrader makes of a desk's answers: when absence is proven, and when all fills are known."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from execution.live import ENDED, MAY_ARRIVE_FOR_MS, LiveTrader
from market.clock import Clock, Now
from market.exchange import Balance, KeyRights, OutcomeUnknown, Quote, Rejected, Transient, Withheld
from market.orders import Fill, OrderReport, OrderRequest, OrderType, ReportStatus, Side, VenueOrder, VenueTrade
from tests.fakes import quote

SENT_MS = 1_700_000_000_000
CLOCK = Clock(SENT_MS, SENT_MS - 86_400_000, 60.0)
REQUEST = OrderRequest("ours", "BTC/USDT", Side.BUY, OrderType.MARKET, D(1), worst_price=D(100))
LATE_MS = SENT_MS + MAY_ARRIVE_FOR_MS


def at(wall_ms: int) -> Now:
    return Now(wall_ms, CLOCK.market_ms(wall_ms))


SENT = at(SENT_MS)


def some_fill(number: int = 1, amount: str = "1", currency: str = "BTC", after_s: float = 0) -> Fill:
    executed_at = SENT.market_at + timedelta(seconds=after_s)
    return Fill(str(number), D(100), D(amount), D("0.001"), currency, executed_at)


def listed(name: str = "ours", number: int = 1, after_s: float = 0, **changes: object) -> VenueOrder:
    placed_at = SENT.market_at + timedelta(seconds=after_s)
    whole = VenueOrder(
        "BTC/USDT", name, str(number), Side.BUY, ReportStatus.FILLED, D(1), D(1), (some_fill(number),), placed_at
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


FAILURES = {
    "silent": Transient("no answer"),
    "revoked": Rejected("revoked", code="-2015"),
    "withheld": Withheld("the budget is used up", 1.0),
}


@dataclass
class ScriptedDesk:
    """Knows what it is given. ``seen`` are the orders that can be found by name, which may be fewer than are listed."""

    at_ms: int = LATE_MS
    seen: list[VenueOrder] = field(default_factory=list)
    orders: list[VenueOrder] = field(default_factory=list)
    trades: list[VenueTrade] = field(default_factory=list)
    known_fills: tuple[Fill, ...] = ()
    placing: Callable[[OrderRequest], VenueOrder] = lambda request: listed(request.client_order_id)
    failing: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def place(self, request: OrderRequest) -> VenueOrder:
        return self.placing(request)

    def cancel(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        self._note("cancel")
        return None

    def find(self, symbol: str, client_order_id: str) -> VenueOrder | None:
        self._note("find")
        return next((order for order in self.seen if order.client_order_id == client_order_id), None)

    def fills(self, symbol: str, exchange_order_id: str) -> tuple[Fill, ...]:
        self._note("fills")
        return self.known_fills

    def open_orders(self) -> list[VenueOrder]:
        return [order for order in self.orders if order.status not in ENDED]

    def latest_orders(self, symbol: str) -> list[VenueOrder]:
        self._note("orders")
        return self.orders[-1000:]

    def latest_trades(self, symbol: str) -> list[VenueTrade]:
        self._note("trades")
        return self.trades[-1000:]

    def balances(self) -> dict[str, Balance]:
        return {}

    def key_rights(self) -> KeyRights:
        return KeyRights(True, False, False, True)

    def wall_ms(self) -> int:
        self._note("clock")
        return self.at_ms

    def forget_rules(self) -> None:
        self.asked.append("forget")

    def _note(self, what: str) -> None:
        self.asked.append(what)
        if what in self.failing:
            raise FAILURES[next(iter(self.failing & set(FAILURES)))]


def trader_at(desk: ScriptedDesk, price: Callable[[str], Quote] = lambda symbol: quote(symbol, "600")) -> LiveTrader:
    return LiveTrader(desk, price, pause_s=0)


def asked_at(desk: ScriptedDesk, wall_ms: int = LATE_MS) -> OrderReport:
    return trader_at(desk).query(REQUEST, SENT, at(wall_ms))


# absence


def test_absence_needs_every_piece_of_evidence():
    desk = ScriptedDesk()
    report = asked_at(desk)
    assert report.status is ReportStatus.ABSENT
    assert "not found twice" in report.reason
    assert desk.asked == ["find", "clock", "find", "trades", "orders"]


@pytest.mark.parametrize("failing", ["find", "clock", "trades", "orders"])
@pytest.mark.parametrize("how", sorted(FAILURES))
def test_without_one_of_them_nothing_is_proven(failing, how):
    with pytest.raises(Transient):
        asked_at(ScriptedDesk(failing={failing, how}))


@pytest.mark.parametrize(("exchange_ms", "our_ms"), [(-1, 0), (0, -1), (-40_000, 0), (3_600_000, -1), (-1, 3_600_000)])
def test_the_time_to_arrive_has_to_be_over_by_both_clocks(exchange_ms, our_ms):
    desk = ScriptedDesk(at_ms=LATE_MS + exchange_ms)
    with pytest.raises(Transient, match="not proven yet"):
        asked_at(desk, LATE_MS + our_ms)
    assert desk.asked == ["find", "clock"]


def test_an_order_that_is_listed_under_our_name_is_found_and_the_newest_of_them_counts():
    desk = ScriptedDesk(orders=[listed(number=1, status=ReportStatus.CANCELED), listed("other", 2), listed(number=3)])
    report = asked_at(desk)
    assert (report.status, report.exchange_order_id, report.fills) == (ReportStatus.FILLED, "3", (some_fill(3),))


def test_an_order_that_appears_between_the_two_questions_is_found():
    desk = ScriptedDesk()

    class Slow(LiveTrader):
        def _require_time_to_arrive(self, sent: Now, now: Now) -> None:
            super()._require_time_to_arrive(sent, now)
            desk.seen.append(listed())

    report = Slow(desk, lambda symbol: quote(symbol, "600"), pause_s=0).query(REQUEST, SENT, at(LATE_MS))
    assert report.status is ReportStatus.FILLED


def many(before_s: float) -> list[VenueOrder]:
    """A full listing whose oldest order was placed so long before ours was sent (market time)."""
    return [listed(f"o{number}", number, number - before_s) for number in range(1000)]


@pytest.mark.parametrize(("before_s", "proven"), [(3_601, True), (3_600, False), (100, False), (-5, False)])
def test_the_listing_of_orders_has_to_reach_back_before_it_was_sent(before_s, proven):
    desk = ScriptedDesk(orders=many(before_s))
    if proven:
        assert asked_at(desk).status is ReportStatus.ABSENT
    else:
        with pytest.raises(Transient, match="1000 orders do not reach back"):
            asked_at(desk)
    desk.orders = desk.orders[1:]  # complete
    assert asked_at(desk).status is ReportStatus.ABSENT


def test_the_listing_of_trades_has_to_reach_back_too():
    orders = [listed("other", 1)]
    desk = ScriptedDesk(orders=orders, trades=[VenueTrade("1", some_fill(number)) for number in range(1000)])
    with pytest.raises(Transient, match="1000 trades do not reach back"):
        asked_at(desk)


def test_orders_without_a_time_do_not_say_how_far_they_reach_back():
    with pytest.raises(Transient, match="do not reach back"):
        asked_at(ScriptedDesk(orders=[replace(order, placed_at=None) for order in many(10_000)]))


@pytest.mark.parametrize(("after_s", "proven"), [(0, False), (-3_600, False), (-3_601, True)])
def test_a_trade_that_belongs_to_no_listed_order_may_be_ours(after_s, proven):
    desk = ScriptedDesk(orders=[listed("other", 1)], trades=[VenueTrade("2", some_fill(after_s=after_s))])
    if proven:
        assert asked_at(desk).status is ReportStatus.ABSENT
    else:
        with pytest.raises(Transient, match="belongs to no order"):
            asked_at(desk)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int | None, int, int, int, list[int]]:
    """When the order arrives (None: never) in ms after it was sent, for how long it cannot be found and is not listed
    then, how far the exchange's clock is ahead, and the moments at which it is asked for."""
    arrives = draw(st.none() | st.integers(0, 15_000))
    hidden = draw(st.integers(0, 100_000))
    unlisted = draw(st.integers(0, 14_999))
    ahead = draw(st.integers(-60_000, 60_000))
    return arrives, hidden, unlisted, ahead, sorted(draw(st.lists(st.integers(0, 120_000), min_size=1, max_size=12)))


@given(histories())
def test_an_order_that_arrives_is_never_called_absent(history):
    arrives, hidden, unlisted, ahead, moments = history
    for after_ms in moments:
        desk = ScriptedDesk(at_ms=SENT_MS + after_ms + ahead)
        if arrives is not None and after_ms >= arrives + unlisted:
            desk.orders = [listed()]
        if arrives is not None and after_ms >= arrives + hidden:
            desk.seen = [listed()]
        try:
            report = asked_at(desk, SENT_MS + after_ms)
        except Transient:
            continue
        assert report.status is (ReportStatus.ABSENT if arrives is None else ReportStatus.FILLED)
        return
    must_be_settled = moments[-1] >= MAY_ARRIVE_FOR_MS + max(0, -ahead)
    assert not must_be_settled


# fills


@pytest.mark.parametrize("status", sorted(ReportStatus))
@given(filled=st.integers(0, 3), came=st.integers(0, 4), known=st.integers(0, 4))
def test_an_answer_is_passed_on_with_all_its_fills_or_not_at_all(status, filled, came, known):
    parts = tuple(some_fill(number) for number in range(4))
    order = listed(status=status, amount=D(4), filled=D(filled), fills=parts[:came])
    desk = ScriptedDesk(seen=[order], known_fills=parts[:known], placing=lambda request: order)
    expected = came if came == filled else known
    whole = expected == filled or (expected > filled and status not in ENDED)
    if whole:
        report = trader_at(desk).submit(REQUEST, SENT)
        assert report == asked_at(desk)
        assert (report.status, report.fills) == (status, parts[:expected])
    else:
        with pytest.raises(OutcomeUnknown, match="accepted as 1"):
            trader_at(desk).submit(REQUEST, SENT)
        with pytest.raises(Transient, match="are known"):
            asked_at(desk)


@pytest.mark.parametrize("how", sorted(FAILURES))
def test_trades_that_cannot_be_asked_for_leave_the_outcome_unknown(how):
    order = listed(fills=())
    desk = ScriptedDesk(seen=[order], placing=lambda request: order, failing={"fills", how})
    with pytest.raises(OutcomeUnknown):
        trader_at(desk).submit(REQUEST, SENT)
    with pytest.raises(Transient):
        asked_at(desk)


def no_price(symbol: str) -> Quote:
    raise Rejected(f"no spot symbol {symbol}", code="-1121")


def test_a_fee_whose_price_cannot_be_had_is_taken_to_have_cost_the_usual():
    """What was bought must not wait for the price of a fee without a stop."""
    bought = some_fill(currency="BNB")
    order = listed(fills=(bought,))
    desk = ScriptedDesk(seen=[order], placing=lambda request: order)
    assert [fill.fee_rate for fill in trader_at(desk).submit(REQUEST, SENT).fills] == [D(600)]
    (fill,) = trader_at(desk, no_price).submit(REQUEST, SENT).fills
    assert fill.fee * fill.fee_rate == pytest.approx(bought.price * bought.amount / 1000, rel=D("1e-9"))
    assert trader_at(desk, no_price).query(REQUEST, SENT, at(LATE_MS)).fills == (fill,)


def test_the_price_of_a_fee_is_asked_for_once_and_only_for_a_third_currency():
    asked: list[str] = []

    def price(symbol: str) -> Quote:
        asked.append(symbol)
        return quote(symbol, "600")

    parts = tuple(
        some_fill(number, "0.2", currency) for number, currency in enumerate(["BNB", "BNB", "BTC", "USDT", "X"])
    )
    desk = ScriptedDesk(placing=lambda request: listed(fills=parts))
    report = trader_at(desk, price).submit(REQUEST, SENT)
    assert [fill.fee_rate for fill in report.fills] == [D(600), D(600), None, None, D(600)]
    assert sorted(asked) == ["BNB/USDT", "X/USDT"]


# refusals and cancels


@pytest.mark.parametrize(("code", "forgets"), [("-1013", True), ("-1111", True), ("-2010", False), ("", False)])
def test_rules_that_have_changed_are_forgotten(code, forgets):
    def refuse(request: OrderRequest) -> VenueOrder:
        raise Rejected("no", code=code)

    desk = ScriptedDesk(placing=refuse)
    report = trader_at(desk).submit(REQUEST, SENT)
    assert (report.status, report.code, report.reason) == (ReportStatus.REJECTED, code, "no")
    assert desk.asked == ["forget"] * forgets


@pytest.mark.parametrize("status", sorted(ReportStatus))
def test_after_a_cancel_that_found_nothing_only_an_end_is_reported(status):
    desk = ScriptedDesk(seen=[listed(status=status)])
    if status in ENDED:
        assert trader_at(desk).cancel(REQUEST, SENT).status is status
    else:
        with pytest.raises(Transient, match="could not be ended"):
            trader_at(desk).cancel(REQUEST, SENT)
