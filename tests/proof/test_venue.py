"""The exchange behind the session, its faults and its clock."""

import time
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from random import Random

import pytest

from market.access import Access
from market.ccxt_exchange import CcxtExchange
from market.ccxt_orders import CcxtOrderDesk
from market.clock import Clock
from market.exchange import OutcomeUnknown, Rejected, Transient
from market.orders import OrderRequest, OrderType, ReportStatus, Side
from proof.clock import VirtualClock
from proof.faults import BY_NAME, KINDS, On, Script, reaches
from proof.prices import BEGIN_MS, SeededPrices
from proof.venue import BASE_URL, Venue
from simexchange.requests.auth import DEMO_KEY, DEMO_SECRET

START_MS = BEGIN_MS + 3_600_000
BUY = OrderRequest("p-1-1-e", "BTC/USDT", Side.BUY, OrderType.MARKET, Decimal("0.001"))


@pytest.fixture
def clock():
    with VirtualClock(START_MS) as running:
        yield running


@pytest.fixture
def venue(clock):
    made = Venue(clock, SeededPrices(1), {"USDT": Decimal(1000)})
    yield made
    made.close()


@pytest.fixture
def desk(venue):
    market = CcxtExchange("binance", BASE_URL, Clock(), Access())
    desk = CcxtOrderDesk(market, DEMO_KEY, DEMO_SECRET, "proof")
    for connection in (market.connection, desk._connection):
        venue.attach(connection.ccxt.session)
    market.instruments()
    return desk


def meet(venue, name):
    script = Script(venue, Random(1))
    venue.strike = script.strike
    script.plan([(BY_NAME[name], venue.clock.now_ms)])
    return script


def test_no_time_passes_by_itself_and_sleeping_takes_none(clock):
    began = time.perf_counter()
    time.sleep(3_600)
    assert clock.now_ms == START_MS + 3_600_000 == time.time_ns() // 1_000_000 == Clock().now().wall_ms
    assert datetime.now(UTC).timestamp() * 1000 == clock.now_ms
    assert time.perf_counter() - began < 1


def test_what_is_planned_happens_on_the_way_at_its_moment(clock):
    seen = []
    clock.at(START_MS + 500, lambda: seen.append(clock.now_ms))
    clock.at(START_MS + 200, lambda: seen.append(clock.now_ms))
    clock.advance(400)
    assert seen == [START_MS + 200]
    clock.advance(100)
    assert seen == [START_MS + 200, START_MS + 500]


def test_an_order_is_signed_matched_and_journaled(venue, desk):
    order = desk.place(BUY)
    assert order.status is ReportStatus.FILLED
    assert [entry.order.client_order_id for entry in venue.journal()] == ["p-1-1-e"]
    assert desk.find("BTC/USDT", "p-1-1-e").filled == Decimal("0.001")


def test_a_wrong_signature_is_refused(venue, desk):
    desk._ccxt.secret = "x" * 64
    with pytest.raises(Rejected) as caught:
        desk.place(BUY)
    assert caught.value.code == "-1022"


PLACING = [kind.name for kind in KINDS if kind.on is On.PLACE and not kind.name.startswith("-")]


@pytest.mark.parametrize("name", PLACING)
def test_every_accident_with_an_order_is_an_unknown_outcome(venue, desk, name):
    meet(venue, name)
    with pytest.raises(OutcomeUnknown):
        desk.place(BUY)
    at_once = [order.client_order_id for order in venue.orders()]
    assert at_once == ([] if "not executed" in name or "4 s late" in name else ["p-1-1-e"])
    venue.clock.advance(10_000)
    assert len(venue.orders()) == (0 if "not executed" in name else 1)


def test_a_late_order_arrives_at_its_moment(venue, desk):
    meet(venue, "accepted 9 s late, timeout")
    with pytest.raises(OutcomeUnknown):
        desk.place(BUY)
    (order,) = venue.orders()
    assert order.time_ms < venue.clock.now_ms - 5_000


ASKING = [kind.name for kind in KINDS if reaches(kind.on, On.FIND) and kind.strike]


@pytest.mark.parametrize("name", ASKING)
def test_a_question_in_trouble_has_no_answer_or_finds_nothing(venue, desk, name):
    desk.place(BUY)
    script = meet(venue, name)
    with suppress(Transient, Rejected):
        assert desk.find("BTC/USDT", "p-1-1-e") is None
    assert sum(script.struck.values()) >= 1


def test_every_fault_has_its_own_name():
    assert len(BY_NAME) == len(KINDS)


def test_a_symbol_that_trades_again_is_seen_within_a_minute_by_whoever_waits_for_it(venue, desk):
    market = desk._exchange
    venue.ask("POST", "/sim/symbols", symbol="BTCUSDT", status="BREAK")
    market.forget_rules()
    assert not market.instruments()["BTC/USDT"].active
    venue.ask("POST", "/sim/symbols", symbol="BTCUSDT", status="TRADING")
    venue.clock.advance(61_000)
    assert not market.instruments()["BTC/USDT"].active
    market.look_again()
    assert market.instruments()["BTC/USDT"].active
