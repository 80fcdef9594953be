"""An executor whose every answer is drawn: all that an exchange may do with a request, and all that is heard of it."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Protocol, TypeVar

from django.db import connection

from execution.executors import BaseExecutor
from execution.live import MAY_ARRIVE_FOR_MS
from execution.models import Order
from execution.states import OrderStatus
from market.clock import Now
from market.exchange import OutcomeUnknown, Transient, Withheld
from market.orders import OrderReport, OrderRequest, ReportStatus, Side
from tests.machines.truth import Known, Truth, is_stop

LATE_MS = 12_000
"""How late a request may still be accepted: less than proving its absence takes."""

T = TypeVar("T")


class Died(BaseException):
    """The process that acted is gone."""


class Pick(Protocol):
    """Draws one of several, the first being the simplest."""

    def __call__(self, what: str, options: Sequence[T]) -> T: ...


HAPPENS = ("fills", "fills in part", "expires in part", "expires", "rests", "refused", "never arrives", "arrives late")
HAPPENS_TO_STOPS = ("rests", "refused", "never arrives", "arrives late", "fills", "fills in part", "expires")
LOST = ("never arrives", "arrives late")
TOLD = ("told", "told", "unknown", "died")
FEES = ("USDT", "BNB", "BTC")


class DrawnExecutor(BaseExecutor):
    """``pick`` None: nothing goes wrong any more, and every question has its answer."""

    holds_stops = True

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.pick: Pick | None = None
        self.price = Decimal(60_000)
        self.stale = False  # whether an answer was older than what was known by then

    def submit(self, request: OrderRequest, now: Now) -> OrderReport:
        _require_committed(request)
        if self._pick("leaves", (True, True, True, True, False)) is False:
            raise Withheld("the budget is used up", 1.0)
        happens = self._pick("happens", HAPPENS_TO_STOPS if is_stop(request) else HAPPENS)
        told = self._pick("told", TOLD[1:] if happens in LOST else TOLD) if self.pick else "told"
        order = self._happen(request, happens, now)
        if told == "died":
            raise Died
        if told == "unknown" or happens in LOST:
            raise OutcomeUnknown("no answer")
        if order is None:
            return OrderReport(request.client_order_id, ReportStatus.REJECTED, reason="refused", code="-2010")
        return order.report

    def query(self, request: OrderRequest, sent: Now, now: Now) -> OrderReport:
        _require_no_transaction()
        self.something_happens(now)
        how = self._pick("query", ("truth", "truth", "silence", "stale"))
        name = request.client_order_id
        order = self.truth.orders.get(name)
        if how == "silence":
            raise Transient("no answer")
        if order is None:
            if name in self.truth.under_way or now.wall_ms - sent.wall_ms < MAY_ARRIVE_FOR_MS:
                raise Transient("not found, which proves nothing yet")
            return OrderReport(name, ReportStatus.ABSENT, reason="proven")
        return self._old_news(order) if how == "stale" else order.report

    def cancel(self, request: OrderRequest, now: Now) -> OrderReport:
        _require_no_transaction()
        self.something_happens(now)
        how = self._pick("cancel", ("told", "told", "not carried out", "not told", "died before", "died after"))
        order = self.truth.orders.get(request.client_order_id)
        if how == "died before":
            raise Died
        if order is None or how == "not carried out":
            raise Transient("no answer")
        self.truth.end(order, ReportStatus.CANCELED)
        if how == "died after":
            raise Died
        if how == "not told":
            raise Transient("no answer")
        return order.report

    def something_happens(self, now: Now) -> None:
        """The exchange does not stand still while it is asked."""
        open_ = [order for order in self.truth.orders.values() if order.open]
        if self.pick and open_ and self._pick("meanwhile", (False, False, False, True)):
            self.execute(open_[self._pick("which", range(len(open_)))], self._pick("part", PARTS), now)

    def execute(self, order: Known, part: Decimal, now: Now) -> None:
        """A part of what is left of an open order is executed, on the exchange's own step."""
        amount = (order.rest * part).quantize(Decimal("0.00001")) or order.rest
        fee = self._pick("fee", FEES[:2] if order.request.side is Side.SELL else FEES)
        self.truth.fill(order, min(amount, order.rest), order.request.price or self.price, fee, now)

    def arrive(self, now: Now) -> None:
        """Requests that were late are accepted; at the market they are filled, too."""
        for request in self.truth.due(now):
            order = self.truth.accept(request)
            if not is_stop(request):
                self.execute(order, Decimal(1), now)

    def _happen(self, request: OrderRequest, happens: str, now: Now) -> Known | None:
        if happens == "arrives late":
            self.truth.delay(request, now.wall_ms + LATE_MS)
        if happens in ("refused", *LOST):
            return None
        order = self.truth.accept(request)
        if happens in ("fills in part", "expires in part"):
            self.execute(order, self._pick("part", PARTS[1:]), now)
        if happens == "fills":
            self.execute(order, Decimal(1), now)
        if happens.startswith("expires"):
            self.truth.end(order, ReportStatus.EXPIRED)
        return order

    def _old_news(self, order: Known) -> OrderReport:
        report = order.reports[self._pick("report", range(len(order.reports)))]
        self.stale = self.stale or report is not order.report
        return report

    def _pick(self, what: str, options: Sequence[T]) -> T:
        return options[0] if self.pick is None else self.pick(what, options)


PARTS = (Decimal(1), Decimal("0.5"), Decimal("0.3"), Decimal("0.9"))


def _require_no_transaction() -> None:
    assert not connection.in_atomic_block, "the exchange is asked inside a transaction"


def _require_committed(request: OrderRequest) -> None:
    """Before a request leaves, it is committed that it may."""
    _require_no_transaction()
    status = Order.objects.values_list("status", flat=True).get(client_order_id=request.client_order_id)
    assert status == OrderStatus.SENT, f"{request.client_order_id} leaves while it is {status}"
