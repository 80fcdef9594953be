"""What has to be done next about a position, from what is known of it and its orders. PURE.

One step at a time: it is taken, its result is booked, and the question is asked anew. Whoever asks in whatever order,
after whatever crash, therefore comes to the same end.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from execution.states import OrderStatus, PositionStatus


class Step(StrEnum):
    """One act."""

    REST = "rest"  # there is nothing to do
    WITHDRAW = "withdraw"  # end an order that never left this machine
    ASK = "ask"  # ask what became of an order
    CANCEL = "cancel"  # end an order at the exchange
    PROTECT = "protect"  # let a stop rest at the exchange
    SELL = "sell"  # send the exit order
    WRITE_OFF = "write off"  # give up a rest that cannot be sold


class Kind(StrEnum):
    """What an order is for."""

    ENTRY = "ENTRY"  # opens the position
    EXIT = "EXIT"  # closes it
    STOP = "STOP"  # rests, and closes it when the price comes down


@dataclass(frozen=True, slots=True)
class Working:
    """An order that may still do something. ``rest`` is what is not filled, in base."""

    order_id: int
    kind: Kind
    status: OrderStatus
    rest: Decimal


@dataclass(frozen=True, slots=True)
class Scene:
    """A position and its unfinished orders, the oldest first.

    ``sellable`` is its quantity on the lot step, 0 when that is too little to be sold at any price; None: the step is
    not known now. ``protected``: whether a stop may be let rest at the exchange now; ``selling``: whether an exit order
    may be sent now; ``entering``: whether more may be bought, which a dead man's switch that has triggered forbids.
    ``asked`` are the orders that had no news a moment ago.
    """

    status: PositionStatus
    sellable: Decimal | None
    working: tuple[Working, ...]
    protected: bool
    selling: bool = True
    asked: frozenset[int] = frozenset()
    entering: bool = True


def next_step(scene: Scene) -> tuple[Step, Working | None]:
    """The act, and the order that it is about. Nobody else may be acting for this position meanwhile."""
    for order in scene.working:
        if order.status is OrderStatus.PREPARED:
            return Step.WITHDRAW, order  # SENT is committed before the network is touched: it never left
    for order in scene.working:
        step = _about(order, scene)
        if step is Step.CANCEL or (step is Step.ASK and order.order_id not in scene.asked):
            return step, order
    return _without(scene), None


def _about(order: Working, scene: Scene) -> Step:
    """What to do about an order that may be at the exchange."""
    if order.status in (OrderStatus.SENT, OrderStatus.UNKNOWN) or order.kind is Kind.EXIT:
        return Step.ASK
    if order.kind is Kind.STOP and scene.sellable is None:
        return Step.REST  # what is to come in its place could not be sent
    if scene.status is PositionStatus.CLOSING:
        # One closing order at a time, and nothing that buys beside it; but a stop rests until its place can be taken.
        return Step.CANCEL if scene.selling or order.kind is Kind.ENTRY else Step.REST
    if order.kind is Kind.ENTRY:
        return Step.ASK if scene.entering else Step.CANCEL
    return Step.REST if order.rest == scene.sellable else Step.CANCEL  # more was bought since: a stop for all of it


def _without(scene: Scene) -> Step:
    """What to do about a position whose orders need nothing."""
    if scene.sellable is None:
        return Step.REST
    closing_order = any(order.kind is not Kind.ENTRY for order in scene.working)
    match scene.status:
        case PositionStatus.OPEN if not closing_order:
            if scene.sellable:
                return Step.PROTECT if scene.protected else Step.REST
            return Step.REST if scene.working else Step.WRITE_OFF
        case PositionStatus.CLOSING if not scene.working:
            if scene.sellable:
                return Step.SELL if scene.selling else Step.REST
            return Step.WRITE_OFF
    return Step.REST
