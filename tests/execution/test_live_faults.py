"""Every way in which an order can go wrong between us and the exchange, and what is found out about it afterwards."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from decimal import Decimal as D

import pytest

from market.exchange import OutcomeUnknown, Transient, Withheld
from market.orders import OrderReport, OrderRequest, OrderType, ReportStatus, Side
from tests.live import POST_ORDER, Venue, order
from tests.market.conftest import await_true

pytestmark = pytest.mark.process

BOOKED, NOT_BOOKED = True, False


def sale() -> OrderRequest:
    return order(Side.SELL, D("0.01"))


UNKNOWN = [
    ({"kind": "timeout_before"}, NOT_BOOKED),
    ({"kind": "timeout_after"}, BOOKED),
    ({"kind": "reset_before"}, NOT_BOOKED),
    ({"kind": "reset_after"}, BOOKED),
    ({"kind": "html_200", "when": "before"}, NOT_BOOKED),
    ({"kind": "html_200", "when": "after"}, BOOKED),
    ({"kind": "truncated", "length": "full"}, BOOKED),
    ({"kind": "truncated", "length": "matching"}, BOOKED),
    ({"kind": "truncated", "length": "matching", "keep": 0}, BOOKED),
    ({"kind": "slow_drip", "over_s": 3}, BOOKED),
    ({"kind": "latency", "min_ms": 900}, BOOKED),
    ({"kind": "latency", "min_ms": 900, "when": "after"}, BOOKED),
    ({"kind": "maintenance"}, NOT_BOOKED),
    ({"kind": "maintenance", "body": "sapi"}, NOT_BOOKED),
    *(
        ({"kind": "http", "status": status, "body": body, "when": when}, when == "after")
        for status in (400, 404, 500, 502, 503, 504)
        for body in ("html", "empty", "json", "text")
        for when in ("before", "after")
    ),
    *(
        ({"kind": "error", "code": code, "msg": "?", "when": when}, when == "after")
        for code in (-1000, -1001, -1006, -1007, -1008, -9999)
        for when in ("before", "after")
    ),
    # Refusals by their code that did not come as refusals.
    ({"kind": "error", "code": -1013, "status": 503, "when": "after"}, BOOKED),
    ({"kind": "error", "code": -2010, "status": 200, "when": "after"}, BOOKED),
    ({"kind": "error", "code": -2010, "msg": "Duplicate order sent.", "when": "after"}, BOOKED),
]


@pytest.mark.parametrize(("what", "booked"), UNKNOWN, ids=str)
def test_the_outcome_is_unknown_until_it_is_asked_for(venue: Venue, what, booked):
    fault, request, sent = venue.fault(what, times=1), sale(), venue.now()
    with pytest.raises(OutcomeUnknown):
        venue.trader().submit(request, sent)
    assert venue.running.struck(fault) == 1
    if "latency" in what["kind"]:
        await_true(lambda: venue.at_exchange(request.client_order_id), "the order never arrived")
    assert len(venue.at_exchange(request.client_order_id)) == booked  # once at most: never sent again
    report = venue.trader().query(request, sent, venue.now())
    assert report.status is (ReportStatus.FILLED if booked else ReportStatus.ABSENT)
    assert sum(fill.amount for fill in report.fills) == (request.amount if booked else 0)


DEFINITE = [*range(-1016, -1012), -1002, -1003, -1020, -1021, -1022, -1100, -1101, -1102, -1111, -1121, -2014, -2015]


@pytest.mark.parametrize("code", [*DEFINITE, -2010])
def test_refused_and_not_sent_again(venue: Venue, code):
    fault, request = venue.fault({"kind": "error", "code": code}), sale()
    report = venue.trader().submit(request, venue.now())
    assert (report.status, report.code) == (ReportStatus.REJECTED, str(code))
    assert venue.running.struck(fault) == 1
    assert venue.at_exchange(request.client_order_id) == []


@pytest.mark.parametrize("answer", ["none", "reset", "http", "error"])
def test_an_order_that_is_accepted_later_is_never_called_absent(venue: Venue, answer):
    venue.fault({"kind": "delayed_acceptance", "delay_s": 0.6, "answer": answer}, times=1)
    request, sent, trader = sale(), venue.now(), venue.trader(may_arrive_for_ms=2_000)
    with pytest.raises(OutcomeUnknown):
        trader.submit(request, sent)
    reports: list[OrderReport] = []

    def settled() -> bool:
        with suppress(Transient):
            reports.append(trader.query(request, sent, venue.now()))
        return bool(reports)

    await_true(settled, "it was never found")
    assert [report.status for report in reports] == [ReportStatus.FILLED]


@pytest.mark.parametrize(
    ("what", "booked", "known"),
    [
        ({"kind": "too_many_requests", "retry_after_s": 7}, NOT_BOOKED, True),
        ({"kind": "banned", "retry_after_s": 70}, NOT_BOOKED, True),
        ({"kind": "error", "code": -1015, "retry_after_s": 7}, NOT_BOOKED, True),
        ({"kind": "http", "status": 429, "when": "after"}, BOOKED, False),
        ({"kind": "http", "status": 418, "when": "after"}, BOOKED, False),
        ({"kind": "http", "status": 403, "when": "after"}, BOOKED, False),
    ],
    ids=str,
)
def test_told_to_stay_away_nothing_more_is_sent(venue: Venue, what, booked, known):
    venue.fault(what)
    request, trader = sale(), venue.trader()
    if known:
        assert trader.submit(request, venue.now()).status is ReportStatus.REJECTED
    else:
        with pytest.raises(OutcomeUnknown):
            trader.submit(request, venue.now())
    requests = venue.running.request("GET", "/sim/stats")[1]["requests"]
    asks = [
        lambda: trader.submit(sale(), venue.now()),
        lambda: trader.query(request, venue.now(), venue.now()),
        lambda: trader.cancel(request, venue.now()),
    ]
    for ask in asks:
        with pytest.raises(Withheld):
            ask()
    assert venue.running.request("GET", "/sim/stats")[1]["requests"] == requests
    assert len(venue.at_exchange(request.client_order_id)) == booked


# questions


def test_a_new_order_is_not_found_at_first(venue: Venue):
    venue.fault({"kind": "query_lag", "lag_ms": 60_000}, "*")
    request, sent = sale(), venue.now()
    placed = venue.trader().submit(request, sent)
    with pytest.raises(Transient, match="not proven yet"):
        venue.trader(may_arrive_for_ms=30_000).query(request, sent, venue.now())
    # However long it hides from being found: the listing has it.
    assert venue.trader().query(request, sent, venue.now()) == placed


@pytest.mark.parametrize("path", ["order", "time", "allOrders", "myTrades"])
@pytest.mark.parametrize(
    "what",
    [
        {"kind": "http", "status": 503},
        {"kind": "http", "status": 404},
        {"kind": "html_200"},
        {"kind": "reset_before"},
        {"kind": "truncated"},
        {"kind": "error", "code": -1000},
        {"kind": "error", "code": -2013, "status": 500},
        {"kind": "error", "code": -2015},
        {"kind": "error", "code": -1021},
    ],
    ids=str,
)
def test_a_question_without_an_answer_proves_nothing(venue: Venue, what, path):
    venue.fault(what, f"GET /api/v3/{path}")
    with pytest.raises(Transient):
        venue.trader().query(sale(), venue.now(), venue.now())


def test_a_final_status_waits_for_its_trades(venue: Venue):
    request, sent, trader = sale(), venue.now(), venue.trader()
    trader.submit(request, sent)
    venue.fault({"kind": "http", "status": 502}, "GET /api/v3/myTrades", times=1)
    with pytest.raises(Transient):
        trader.query(request, sent, venue.now())
    assert len(trader.query(request, sent, venue.now()).fills) == 1


@pytest.mark.parametrize(
    "what",
    [{"kind": "timeout_after"}, {"kind": "reset_after"}, {"kind": "html_200"}, {"kind": "http", "when": "after"}],
)
def test_a_cancel_whose_answer_is_lost_is_repeated(venue: Venue, what):
    request, trader = order(Side.BUY, D("0.1"), OrderType.LIMIT, price=venue.near("0.9")), venue.trader()
    trader.submit(request, venue.now())
    venue.fault(what, "DELETE /api/v3/order", times=1)
    with pytest.raises(Transient):
        trader.cancel(request, venue.now())
    assert trader.cancel(request, venue.now()).status is ReportStatus.CANCELED


def test_a_cancel_that_does_not_reach_the_order_leaves_it_open(venue: Venue):
    request, trader = order(Side.BUY, D("0.1"), OrderType.LIMIT, price=venue.near("0.9")), venue.trader()
    trader.submit(request, venue.now())
    venue.fault({"kind": "error", "code": -2011}, "DELETE /api/v3/order", times=1)
    with pytest.raises(Transient, match="could not be ended"):
        trader.cancel(request, venue.now())
    assert trader.cancel(request, venue.now()).status is ReportStatus.CANCELED


# the budget


def test_orders_count_against_the_accounts_own_limit(venue: Venue):
    """Of 80 in ten seconds, a process without Redis takes an eighth of the share: eight entries, nine exits."""
    venue.running.raw("POST", "/sim/limits", content={"orders_10s": 80})
    venue.exchange.forget_rules()
    venue.exchange.instruments()
    trader, placed = venue.trader(), 0
    for _ in range(20):
        with suppress(Withheld):
            trader.submit(order(Side.BUY, D("0.01")), venue.now())
            placed += 1
    assert 8 <= placed <= 16  # when a window ends meanwhile
    with pytest.raises(Withheld, match="the budget of orders for entries"):
        [trader.submit(order(Side.BUY, D("0.01")), venue.now()) for _ in range(9)]
    assert trader.submit(sale(), venue.now()).status is ReportStatus.FILLED


def test_told_to_stay_away_it_learns_the_limits_anew(venue: Venue):
    before = venue.access.limits
    venue.running.raw("POST", "/sim/limits", content={"orders_10s": 77})
    venue.fault({"kind": "error", "code": -1015, "retry_after_s": 1}, times=1)
    venue.trader().submit(sale(), venue.now())
    time.sleep(1.05)
    assert venue.exchange.instruments()
    assert venue.access.limits != before


# threads


def test_an_order_is_not_judged_by_the_answer_to_another(venue: Venue):
    """While one waits for an answer that never comes, another is refused."""
    venue.fault({"kind": "latency", "min_ms": 150, "when": "after"}, {"endpoint": POST_ORDER, "symbol": "ETHUSDT"})
    venue.fault({"kind": "timeout_after"}, {"endpoint": POST_ORDER, "symbol": "BTCUSDT"})
    refused, lost = order(Side.SELL, D("0.000001"), symbol="ETH/USDT"), sale()
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(venue.trader().submit, refused, venue.now())
        time.sleep(0.05)
        second = pool.submit(venue.trader().submit, lost, venue.now())
        with pytest.raises(OutcomeUnknown):
            second.result()
        assert first.result().code == "-1013"


def test_an_order_that_took_too_long_before_it_could_be_let_go_is_withheld(venue: Venue, monkeypatch):
    """Else it might arrive after it was proven that it never will."""
    monkeypatch.setattr("market.ccxt_orders.LET_GO_WITHIN_S", -1)
    request = sale()
    with pytest.raises(Withheld):
        venue.trader().submit(request, venue.now())
    assert not venue.at_exchange(request.client_order_id)
