"""What must hold after a race, recomputed from the rows of orders, fills and capital: no running total is believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bots.models import ExchangeAccount
from execution.models import CapitalChange, Order, Position, Purpose, Trade
from execution.states import LIVE_POSITION, UNFINISHED_ORDER, OrderStatus, PositionStatus
from execution.verify import verify
from market.money import ZERO, exact
from risk.models import Decision, Outcome

ROOM = 3
"""How many of the entries every cap has room for."""


@dataclass(frozen=True)
class Cap:
    """What has room for three entries: the check that refuses the fourth, the account's capital and limits."""

    check: str
    capital: Decimal
    limits: Mapping[str, Decimal | int]
    lasts: bool = True  # whether the room is the same in the next slot

    @property
    def most(self) -> Decimal:
        """Exposure that may not be exceeded, in quote."""
        if self.check == "free_cash":
            return self.capital
        name = "max_asset" if self.check == "asset_concentration" else "max_exposure"
        with exact():
            return self.limits[name] * self.capital


_WIDE, _TIGHT = Decimal("0.99"), Decimal("0.19")
_ALL_WIDE: dict[str, Decimal | int] = {"max_exposure": _WIDE, "max_asset": _WIDE, "max_order": _WIDE}
CAPS = (
    Cap("total_exposure", Decimal(10_000), _ALL_WIDE | {"max_exposure": _TIGHT}),
    Cap("asset_concentration", Decimal(10_000), _ALL_WIDE | {"max_asset": _TIGHT}),
    Cap("free_cash", Decimal(1_900), _ALL_WIDE),
    Cap("order_rate", Decimal(100_000), _ALL_WIDE | {"max_orders_per_minute": ROOM}, lasts=False),
)


def found_wrong(account: ExchangeAccount, cap: Cap, spared: Sequence[int], gave_up: int) -> list[str]:
    """Right after the race, before anything was recovered. ``spared``: the bots whose process nobody killed;
    ``gave_up``: how many of their entries did not get the lock."""
    found = [*_decisions(account, cap), *_books(account, cap, "after the race")]
    approved = Decision.objects.filter(bot__account=account, outcome=Outcome.APPROVED).count()
    if approved != ROOM:
        found.append(f"{approved} entries were approved, there is room for {ROOM}")
    undecided = len(spared) - Decision.objects.filter(bot__in=spared).count()
    if undecided > gave_up:  # who has a decision may have given up later, with its intent committed
        found.append(f"{undecided} bots of living processes have no decision, only {gave_up} did not get the lock")
    return found


def found_at_rest(account: ExchangeAccount, cap: Cap, when: str, full: bool = False) -> list[str]:
    """After everything was carried on: nothing is half done. ``full``: all the room is taken."""
    found = [*_decisions(account, cap), *_books(account, cap, when)]
    live = Position.objects.filter(account=account, status__in=list(LIVE_POSITION))
    found += [f"{when}: {position} is {position.status}" for position in live.exclude(status=PositionStatus.OPEN)]
    unfinished = Order.objects.filter(account=account, status__in=list(UNFINISHED_ORDER))
    found += [f"{when}: {order.client_order_id} is {order.status}" for order in unfinished]
    if live.count() > ROOM or (full and live.count() != ROOM):
        found.append(f"{when}: {live.count()} positions are held, there is room for {ROOM}")
    return found


def _decisions(account: ExchangeAccount, cap: Cap) -> list[str]:
    """No approval without its order, no order without its approval, no refusal but by the cap."""
    found = []
    for decision in Decision.objects.filter(bot__account=account).prefetch_related("orders"):
        orders = list(decision.orders.all())
        if decision.outcome == Outcome.REFUSED and decision.failed_check != cap.check:
            found.append(f"{decision} by {decision.failed_check}, not by {cap.check}: {decision.reason}")
        if len(orders) != (decision.outcome == Outcome.APPROVED):
            found.append(f"{decision} has {len(orders)} orders")
        found += [f"{order} is not of {decision}" for order in orders if order.bot_id != decision.bot_id]
    entries = Order.objects.filter(account=account, purpose=Purpose.ENTRY)
    found += [f"{order} has no decision" for order in entries.filter(decision=None)]
    return found


def _books(account: ExchangeAccount, cap: Cap, when: str) -> list[str]:
    """The cap, by orders and fills; the totals, by recomputing all of them; positions, by their entries."""
    found = [f"{when}: {difference}" for difference in verify(account).differences]
    exposure = _exposure(account)
    if exposure > cap.most:
        found.append(f"{when}: an exposure of {exposure}, {cap.most} is allowed")
    if _cash(account) < 0:
        found.append(f"{when}: {_cash(account)} is free")
    for position in Position.objects.filter(account=account):
        if position.orders.filter(purpose=Purpose.ENTRY).count() != 1:
            found.append(f"{when}: {position} has not one entry order")
    return found


def _exposure(account: ExchangeAccount) -> Decimal:
    """What was bought at its price, and what unfinished entries may still buy at the most that they may pay."""
    with exact():
        bought = sum((t.amount * t.price for t in Trade.objects.filter(account=account, side="BUY")), ZERO)
        return bought + _reserved(account)


def _reserved(account: ExchangeAccount) -> Decimal:
    entries = Order.objects.filter(account=account, purpose=Purpose.ENTRY)
    on_their_way = [order for order in entries if OrderStatus(order.status) in UNFINISHED_ORDER]
    with exact():
        return sum(((o.amount - o.filled) * (o.worst_price or ZERO) for o in on_their_way), ZERO)


def _cash(account: ExchangeAccount) -> Decimal:
    """Capital and what fills did to it, less what is reserved."""
    with exact():
        capital = sum(CapitalChange.objects.filter(account=account).values_list("amount", flat=True), ZERO)
        moved = sum(Trade.objects.filter(account=account).values_list("cash_change", flat=True), ZERO)
        return capital + moved - _reserved(account)
