"""Whether the statuses of a position and its orders can be true together. PURE."""

from collections.abc import Callable, Iterator, Sequence

from execution.states import TERMINAL_ORDER, UNFINISHED_ORDER, OrderStatus, PositionStatus
from execution.verification.compare import Difference, text
from execution.verification.values import BookedOrder, BookedPosition

NEVER_FILLED = UNFINISHED_ORDER - {OrderStatus.PARTIAL} | {OrderStatus.REJECTED, OrderStatus.ABSENT}
"""Orders of which the exchange has not told a fill, or certainly never had one."""

AT_THE_EXCHANGE = UNFINISHED_ORDER - {OrderStatus.PREPARED}
"""Orders that left this machine and have not ended."""

Rule = tuple[str, Callable[[BookedPosition, Sequence[BookedOrder]], bool]]


def _buys(orders: Sequence[BookedOrder]) -> bool:
    """Whether its entry may still fill."""
    return any(order.is_entry and order.status in UNFINISHED_ORDER for order in orders)


def _sells(orders: Sequence[BookedOrder]) -> bool:
    """Whether an exit is on its way; a resting stop is none."""
    return any(not (order.is_entry or order.is_stop) and order.status in UNFINISHED_ORDER for order in orders)


def _all_ended(_: BookedPosition, orders: Sequence[BookedOrder]) -> bool:
    return all(order.status in TERMINAL_ORDER for order in orders)


def _is_going_on(position: BookedPosition, _: Sequence[BookedOrder]) -> bool:
    return position.was_opened and not position.has_ended


# Each rule is what has to be true, in words, for the statuses it is listed under. An entry may still buy while its
# position is OPEN; a CLOSING one may have sold all of it already, while an entry that bought beside it is ended.
RULES: dict[PositionStatus, tuple[Rule, ...]] = {
    PositionStatus.OPENING: (
        ("its entry order may still fill", lambda _, orders: _buys(orders)),
        ("it has neither opened nor ended", lambda position, _: not (position.was_opened or position.has_ended)),
    ),
    PositionStatus.OPEN: (
        ("it holds something", lambda position, _: position.figures.quantity > 0),
        ("it has a time of opening and none of its end", _is_going_on),
        ("no exit is on its way", lambda _, orders: not _sells(orders)),
    ),
    PositionStatus.CLOSING: (("it has a time of opening and none of its end", _is_going_on),),
    PositionStatus.CLOSED: (
        ("it holds nothing", lambda position, _: not position.figures.quantity and not position.figures.cost),
        ("it has a time of opening and of its end", lambda position, _: position.was_opened and position.has_ended),
        ("all its orders have ended", _all_ended),
    ),
    PositionStatus.FLAT: (
        ("it never held anything", lambda position, _: not position.figures.quantity and not position.was_opened),
        ("it has a time of its end", lambda position, _: position.has_ended),
        ("all its orders have ended", _all_ended),
        ("no order of it has a fill", lambda _, orders: not any(order.figures.filled for order in orders)),
    ),
}


def check_statuses(position: BookedPosition, orders: Sequence[BookedOrder]) -> Iterator[Difference]:
    """A difference for each rule that is broken, each told by the status that is stored and what has to be true."""
    entries = sum(order.is_entry for order in orders)
    if entries != 1:
        yield Difference("position.entry", position.name, f"{entries} entry orders", "exactly one")
    for rule, holds in RULES[position.status]:
        if not holds(position, orders):
            yield Difference("position.status", position.name, position.status, rule)
    for order in orders:
        yield from _check_order(order)


def _check_order(order: BookedOrder) -> Iterator[Difference]:
    filled = order.figures.filled
    if order.has_ended is not (order.status in TERMINAL_ORDER):
        stored = f"{order.status}, {'with' if order.has_ended else 'without'} finished_at"
        yield Difference("order.finished_at", order.name, stored, "set when the order has ended, and only then")
    if order.status in AT_THE_EXCHANGE and not order.was_sent:
        yield Difference("order.sent_at", order.name, f"{order.status}, without sent_at", "set before it is sent")
    if order.status in NEVER_FILLED and filled:
        yield Difference("order.status", order.name, f"{order.status}, filled {text(filled)}", "no fill")
    if order.status is OrderStatus.FILLED and filled != order.amount:
        yield Difference("order.status", order.name, f"FILLED {text(filled)}", f"all of {text(order.amount)}")
    if filled > order.amount:
        yield Difference("order.filled", order.name, text(filled), f"at most {text(order.amount)}")
