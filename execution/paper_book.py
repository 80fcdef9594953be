"""The paper exchange's book: orders and their fills as rows, so that it remembers them over a restart.

Every function is one short transaction of its own, and none touches the network. Two processes may look at the market
for the same order at once: what the later one saw is dropped, and it reads what the earlier one has written.
"""

from decimal import Decimal

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from bots.models import ExchangeAccount
from execution.matching import PaperState, binds
from execution.models import AssetBalance, PaperFill, PaperOrder
from execution.states import OPEN_REPORT
from market.clock import Now
from market.money import ZERO, exact
from market.orders import Fill, OrderRequest, OrderType, ReportStatus, Side


class PaperBook:
    """The orders of one account on paper."""

    def __init__(self, account: ExchangeAccount) -> None:
        self._account_id = account.pk
        self._quote = account.quote

    def find(self, client_order_id: str) -> PaperState | None:
        """The order of that name; None when it never came here."""
        row = self._rows().filter(client_order_id=client_order_id).first()
        return None if row is None else _state(row)

    def take_in(self, order: PaperState, now: Now) -> PaperState:
        """Keep a new order. Returns what the book has under its name: an order that is there already stays as it is."""
        try:
            with transaction.atomic(durable=True):
                row = PaperOrder.objects.create(
                    account_id=self._account_id, created_at=now.market_at, **_asked(order.request), **_progress(order)
                )
                _write_fills(row.pk, order.fills)
        except IntegrityError:
            known = self.find(order.request.client_order_id)
            if known is None:
                raise
            return known
        return order

    def move(self, old: PaperState, new: PaperState) -> PaperState:
        """Write what became of an order since it was read as ``old``. Returns what the book has then: ``new``, or what
        somebody else has written meanwhile."""
        name = old.request.client_order_id
        with transaction.atomic(durable=True):
            as_read = self._rows().filter(
                client_order_id=name, status=old.status, triggered=old.triggered, filled=old.filled
            )
            if as_read.update(**_progress(new)) == 1:
                row_id = PaperOrder.objects.values_list("pk", flat=True).get(
                    account_id=self._account_id, client_order_id=name
                )
                _write_fills(row_id, new.fills[len(old.fills) :])
                return new
        return self.find(name) or old

    def free(self, asset: str) -> Decimal | None:
        """How much of an asset is not bound by open paper orders, by our books; None where they keep no balances.

        A fill is in the balance once its order's report is booked.
        """
        balances = {row.asset: row for row in AssetBalance.objects.filter(account_id=self._account_id)}
        if self._quote not in balances:
            return None
        if asset not in balances:
            return ZERO
        waiting = self._rows().filter(status__in=list(OPEN_REPORT))
        bound = [binds(_state(row)) for row in waiting]
        with exact():
            held: Decimal = balances[asset].amount + balances[asset].untracked
            return held - sum((needed for of, needed in bound if of == asset), ZERO)

    def _rows(self) -> QuerySet[PaperOrder]:
        return PaperOrder.objects.filter(account_id=self._account_id).prefetch_related("fills")


def _state(row: PaperOrder) -> PaperState:
    request = OrderRequest(
        client_order_id=row.client_order_id,
        symbol=row.symbol,
        side=Side(row.side),
        type=OrderType(row.type),
        amount=row.amount,
        price=row.price,
        stop_price=row.stop_price,
        worst_price=row.worst_price,
    )
    return PaperState(request, ReportStatus(row.status), row.triggered, _fills(row), row.reason)


def _fills(row: PaperOrder) -> tuple[Fill, ...]:
    """The fills that the row counts: they are read after it, and one more may have come in between."""
    fills: list[Fill] = []
    counted = ZERO
    for fill in row.fills.all():
        if counted == row.filled:
            break
        fills.append(_fill(fill))
        counted += fill.amount
    return tuple(fills)


def _fill(row: PaperFill) -> Fill:
    return Fill(row.trade_id, row.price, row.amount, row.fee, row.fee_currency, row.executed_at, row.fee_rate)


def _asked(request: OrderRequest) -> dict[str, object]:
    """The columns that never change."""
    names = ("client_order_id", "symbol", "side", "type", "amount", "price", "stop_price", "worst_price")
    return {name: getattr(request, name) for name in names}


def _progress(order: PaperState) -> dict[str, object]:
    """The columns that say how far it has come."""
    return {
        "status": order.status,
        "triggered": order.triggered,
        "filled": order.filled,
        "reason": order.reason[:300],
    }


def _write_fills(order_id: int, fills: tuple[Fill, ...]) -> None:
    names = ("trade_id", "price", "amount", "fee", "fee_currency", "fee_rate", "executed_at")
    PaperFill.objects.bulk_create(
        PaperFill(order_id=order_id, **{name: getattr(fill, name) for name in names}) for fill in fills
    )
