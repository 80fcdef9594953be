"""Whatever a venue reports is booked once: again, in another order, in parts."""

from dataclasses import replace
from decimal import Decimal

import pytest

from execution.models import Order, Position, Purpose, Trade
from execution.record import record
from execution.states import OrderStatus, PositionStatus
from market.orders import OrderRequest, OrderType, ReportStatus, Side
from risk.models import Decision, Outcome
from tests.execution.contract.venue import D, buy_limit, total
from tests.factories import SLOT_0, make_account, make_bot, now_at

NOW = now_at()


def booked(request: OrderRequest) -> Order:
    """The row of an entry that has just been sent."""
    bot = make_bot(make_account(), symbol=request.symbol)
    at = {"market_at": NOW.market_at, "wall_at": NOW.wall_at}
    decision = Decision.objects.create(
        bot=bot, slot=SLOT_0, outcome=Outcome.APPROVED, reason="crossed", bot_status=bot.status, **at
    )
    position = Position.objects.create(
        account=bot.account,
        bot=bot,
        symbol=request.symbol,
        status=PositionStatus.OPENING,
        entry_slot=SLOT_0,
        stop_price=D(90),
        created_at=NOW.market_at,
    )
    return Order.objects.create(
        account=bot.account,
        bot=bot,
        position=position,
        decision=decision,
        client_order_id=request.client_order_id,
        purpose=Purpose.ENTRY,
        symbol=request.symbol,
        side=Side.BUY,
        type=OrderType.LIMIT,
        amount=request.amount,
        price=request.price,
        reference_price=D(100),
        status=OrderStatus.SENT,
        market_at=NOW.market_at,
        prepared_at=NOW.wall_at,
        sent_at=NOW.wall_at,
    )


def held() -> Decimal:
    return Position.objects.get().quantity


@pytest.fixture
def request_() -> OrderRequest:
    """One that several offers are needed for."""
    return buy_limit("101", "3")


def filled(orders, request):
    orders.submit(request)
    report = orders.query_until(request, lambda report: report.status is ReportStatus.FILLED)
    assert len(report.fills) > 1
    return report


def test_said_twice_it_is_booked_once(orders, request_):
    order, report = booked(request_), filled(orders, request_)
    for _ in range(2):
        assert record(order, report, NOW) is OrderStatus.FILLED
    assert Trade.objects.count() == len(report.fills)
    order.refresh_from_db()
    assert order.filled == total(report) == request_.amount


def test_fills_in_any_order_come_to_the_same(orders, request_):
    order, report = booked(request_), filled(orders, request_)
    record(order, replace(report, fills=report.fills[::-1]), NOW)
    base = request_.symbol.partition("/")[0]
    fees = sum((fill.fee for fill in report.fills if fill.fee_currency == base), D(0))
    assert held() == total(report) - fees
    assert {trade.trade_id for trade in Trade.objects.all()} == {fill.trade_id for fill in report.fills}


def test_a_part_and_then_the_whole_is_the_whole(orders, request_):
    order, report = booked(request_), filled(orders, request_)
    part = replace(report, status=ReportStatus.PARTIAL, fills=report.fills[:1])
    assert record(order, part, NOW) is OrderStatus.PARTIAL
    first = held()
    assert record(order, report, NOW) is OrderStatus.FILLED
    assert 0 < first < held()
    assert Trade.objects.count() == len(report.fills)
