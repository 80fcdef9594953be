"""An entry that rests at a venue is ended there once the dead man's switch has triggered."""

from decimal import Decimal

from execution.drive import drive
from execution.models import Order, Portfolio, Position, Purpose
from execution.states import OrderStatus, PositionStatus
from execution.submit import Means
from market.orders import OrderRequest, ReportStatus
from risk.models import DeadMansSwitch, Decision, Outcome
from tests.execution.contract.venue import Venue, buy_limit
from tests.factories import instrument, make_bot


def kept(request: OrderRequest, venue: Venue) -> Position:
    """The rows of an entry that rests."""
    now = venue.now()
    bot = make_bot(symbol=request.symbol)
    at = {"market_at": now.market_at, "wall_at": now.wall_at}
    decision = Decision.objects.create(bot=bot, slot=1, outcome=Outcome.APPROVED, bot_status=bot.status, **at)
    position = Position.objects.create(
        account=bot.account,
        bot=bot,
        symbol=bot.symbol,
        status=PositionStatus.OPENING,
        entry_slot=1,
        stop_price=Decimal(90),
        created_at=now.market_at,
    )
    Order.objects.create(
        account=bot.account,
        bot=bot,
        position=position,
        decision=decision,
        client_order_id=request.client_order_id,
        purpose=Purpose.ENTRY,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        amount=request.amount,
        price=request.price,
        reference_price=Decimal(100),
        status=OrderStatus.ACKED,
        market_at=now.market_at,
        prepared_at=now.wall_at,
        sent_at=now.wall_at,
    )
    return position


def test_it_rests_until_the_trigger_and_not_after(orders, venue):
    request = buy_limit("99")
    orders.submit(request)
    position = kept(request, venue)
    DeadMansSwitch.objects.update(last_checkin_at=venue.now().wall_at, high_water_at=venue.now().wall_at)
    means = Means(venue.executor, venue.now, instrument(request.symbol))
    assert drive(position.pk, means) is PositionStatus.OPENING
    assert orders.query(request).status is ReportStatus.NEW
    DeadMansSwitch.objects.update(latched_at=venue.now().wall_at)
    assert drive(position.pk, means) is PositionStatus.FLAT
    assert orders.query(request).status is ReportStatus.CANCELED
    assert position.orders.get().status == OrderStatus.CANCELED
    assert Portfolio.objects.get(account=position.account).cost == 0
