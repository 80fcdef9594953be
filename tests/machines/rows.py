"""What must hold between our rows and what really became of the orders."""

from collections import Counter
from decimal import Decimal

from bots.models import ExchangeAccount
from execution.models import Order, Position, Purpose, Trade
from execution.states import TERMINAL_ORDER, UNFINISHED_ORDER, OrderStatus, PositionStatus, order_status
from execution.verify import verify
from market.money import ZERO, exact
from market.orders import Fill
from tests.machines.truth import Truth, position_of

NEVER_THERE = frozenset({OrderStatus.PREPARED, OrderStatus.REJECTED, OrderStatus.ABSENT})
AS_THERE = frozenset({OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED})


def check(truth: Truth, account: ExchangeAccount) -> None:
    """Everything that holds at every moment. Raises AssertionError naming the row."""
    orders = list(Order.objects.filter(account=account).select_related("position"))
    fills = _fills(account)
    for order in orders:
        _check_fills(order, fills.get(order.pk, {}), truth)
        _check_status(order, truth)
    _check_known(truth, {order.client_order_id: order for order in orders})
    for position in Position.objects.filter(account=account):
        own = [order for order in orders if order.position_id == position.pk]
        _check_position(position, own, fills, truth)
    found = verify(account).differences
    assert not found, [str(difference) for difference in found]


def _fills(account: ExchangeAccount) -> dict[int, dict[str, Fill]]:
    found: dict[int, dict[str, Fill]] = {}
    for row in Trade.objects.filter(account=account):
        fill = Fill(row.trade_id, row.price, row.amount, row.fee, row.fee_currency, row.executed_at, row.fee_rate)
        own = found.setdefault(row.order_id, {})
        assert row.trade_id not in own, f"fill {row.trade_id} is booked twice"
        own[row.trade_id] = fill
    return found


def _check_fills(order: Order, booked: dict[str, Fill], truth: Truth) -> None:
    """Booked is what happened, as it happened; once an order has ended, all of it."""
    known = truth.orders.get(order.client_order_id)
    happened = {fill.trade_id: fill for fill in known.fills} if known else {}
    for trade_id, fill in booked.items():
        assert happened.get(trade_id) == fill, f"{order}: fill {trade_id} is {fill}, and was {happened.get(trade_id)}"
    if order.status in TERMINAL_ORDER:
        assert len(booked) == len(happened), f"{order} ended with {len(booked)} of {len(happened)} fills"


def _check_status(order: Order, truth: Truth) -> None:
    name, status = order.client_order_id, OrderStatus(order.status)
    known = truth.orders.get(name)
    if status in NEVER_THERE:
        assert known is None, f"{order} is {status}, and the exchange has it"
    if status in TERMINAL_ORDER or status is OrderStatus.PREPARED:
        assert name not in truth.under_way, f"{order} is {status}, and may still arrive"
    if status in AS_THERE and known is not None:
        assert order_status(known.status) is status, f"{order} is {status}, and {known.status} at the exchange"
    if status is OrderStatus.PREPARED:
        assert name not in truth.arrived, f"{order} was never sent, and has arrived"


def _check_known(truth: Truth, rows: dict[str, Order]) -> None:
    for name in (*truth.arrived, *truth.under_way):
        assert name in rows, f"the exchange has {name}, and we do not"
        assert rows[name].sent_at is not None, f"the exchange has {name}, which we believe was never sent"


def _check_position(position: Position, orders: list[Order], fills: dict[int, dict[str, Fill]], truth: Truth) -> None:
    held = sum((_flow(order, fill) for order in orders for fill in fills.get(order.pk, {}).values()), ZERO)
    assert held == position.quantity + position.dust, f"{position}: fills come to {held}, it has {position.quantity}"
    purposes = Counter(order.purpose for order in orders)
    assert purposes[Purpose.ENTRY] == 1, f"{position} has {purposes[Purpose.ENTRY]} entry orders"
    closing = [o for o in orders if o.purpose != Purpose.ENTRY and OrderStatus(o.status) in UNFINISHED_ORDER]
    assert len(closing) <= 1, f"{position} has {len(closing)} closing orders"
    if position.status in (PositionStatus.CLOSED, PositionStatus.FLAT):
        _check_end(position, position_of(orders[0].client_order_id), truth)


def _check_end(position: Position, name: str, truth: Truth) -> None:
    left = truth.held(name)
    assert left == position.dust, f"{position} is over, of what it had {left} is left and {position.dust} written off"
    open_ = [order.request.client_order_id for order in truth.of(name) if order.open]
    assert not open_, f"{position} is over, and {open_} are open"


def _flow(order: Order, fill: Fill) -> Decimal:
    base = order.symbol.partition("/")[0]
    with exact():
        moved = fill.amount if order.purpose == Purpose.ENTRY else -fill.amount
        return moved - (fill.fee if fill.fee_currency == base else ZERO)
