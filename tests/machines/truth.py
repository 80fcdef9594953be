"""An exchange in memory: what really became of every order, whatever our code is told or not told of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from execution.states import OPEN_REPORT
from market.clock import Now
from market.money import ZERO, exact
from market.orders import Fill, OrderReport, OrderRequest, OrderType, ReportStatus, Side

FEE = Decimal("0.001")
BNB_PRICE = Decimal(500)


@dataclass
class Known:
    """An order that the exchange has: its fills, and every report that it could ever have given of it."""

    request: OrderRequest
    number: str
    status: ReportStatus = ReportStatus.NEW
    fills: list[Fill] = field(default_factory=list)
    reports: list[OrderReport] = field(default_factory=list)

    @property
    def open(self) -> bool:
        return self.status in OPEN_REPORT

    @property
    def filled(self) -> Decimal:
        return total(self.fills)

    @property
    def rest(self) -> Decimal:
        with exact():
            return self.request.amount - self.filled

    @property
    def report(self) -> OrderReport:
        return self.reports[-1]

    def tell(self, status: ReportStatus) -> None:
        """From now on this is what the exchange says."""
        self.status = status
        self.reports.append(OrderReport(self.request.client_order_id, status, self.number, tuple(self.fills)))


def total(fills: Iterable[Fill]) -> Decimal:
    with exact():
        return sum((fill.amount for fill in fills), ZERO)


class Truth:
    """The exchange's own books. Orders are known by our names for them, of which each is good for one order."""

    def __init__(self) -> None:
        self.orders: dict[str, Known] = {}
        self.under_way: dict[str, tuple[OrderRequest, int]] = {}
        self.arrived: list[str] = []
        self._numbers = 0

    def accept(self, request: OrderRequest) -> Known:
        """An order arrives, and rests. Raises AssertionError when one of that name came before: it was sent twice."""
        name = request.client_order_id
        assert name not in self.arrived, f"{name} was sent twice"
        self.arrived.append(name)
        self.under_way.pop(name, None)
        order = self.orders[name] = Known(request, str(self._next()))
        order.tell(ReportStatus.NEW)
        self.require_sound()
        return order

    def fill(self, order: Known, amount: Decimal, price: Decimal, fee_in: str, now: Now) -> None:
        """So much of an open order is executed."""
        base, _, quote = order.request.symbol.partition("/")
        with exact():
            fees = {base: amount * FEE, quote: amount * price * FEE, "BNB": amount * price * FEE / BNB_PRICE}
            rate = BNB_PRICE if fee_in == "BNB" else None
            fill = Fill(str(self._next()), price, amount, fees[fee_in], fee_in, now.market_at, rate)
        order.fills.append(fill)
        order.tell(ReportStatus.PARTIAL if order.rest else ReportStatus.FILLED)
        self.require_sound()

    def end(self, order: Known, status: ReportStatus) -> None:
        """An open order ends with what it has."""
        if order.open:
            order.tell(status)

    def forget(self, order: Known) -> None:
        """A backup was restored: the exchange does not know an order any more that has no fills."""
        del self.orders[order.request.client_order_id]

    def delay(self, request: OrderRequest, due_ms: int) -> None:
        """A request is on its way still, until a moment of wall time."""
        self.under_way[request.client_order_id] = request, due_ms

    def due(self, now: Now) -> list[OrderRequest]:
        """What was on its way and has arrived by now."""
        return [request for request, due_ms in self.under_way.values() if due_ms <= now.wall_ms]

    def of(self, position: str) -> list[Known]:
        """The orders of one position, by the part of their names that they share."""
        return [order for name, order in self.orders.items() if name.startswith(f"{position}-")]

    def held(self, position: str) -> Decimal:
        """What all fills of a position come to, in base."""
        with exact():
            return sum((flow(order.request, fill) for order in self.of(position) for fill in order.fills), ZERO)

    def require_sound(self) -> None:
        """At no moment is more sold or on offer than was bought, nor two orders that close stand beside each other,
        nor is a position entered twice."""
        for position in {position_of(name) for name in self.orders}:
            orders = self.of(position)
            selling = [order for order in orders if order.open and order.request.side is Side.SELL]
            held = self.held(position)
            assert len(selling) <= 1, f"{position}: {len(selling)} closing orders are open at once"
            assert sum(order.rest for order in selling) <= held, f"{position}: more is on offer than the {held} held"
            entries = [name for name in self.arrived if position_of(name) == position and is_entry(name)]
            assert len(entries) <= 1, f"{position} was entered twice: {entries}"

    def _next(self) -> int:
        self._numbers += 1
        return self._numbers


def position_of(name: str) -> str:
    return name.rpartition("-")[0]


def is_entry(name: str) -> bool:
    return name.endswith("-e")


def is_stop(request: OrderRequest) -> bool:
    return request.type is OrderType.STOP_LOSS_LIMIT


def flow(request: OrderRequest, fill: Fill) -> Decimal:
    """What a fill did to the base that is held."""
    base = request.symbol.partition("/")[0]
    with exact():
        moved = fill.amount if request.side is Side.BUY else -fill.amount
        return moved - (fill.fee if fill.fee_currency == base else ZERO)
