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


def _entries(orders: Sequence[BookedOrder], *, unfinished: bool) -> bool:
    return any(order.is_entry and (order.status in UNFINISHED_ORDER) is unfinished for order in orders)


def _exit_works(orders: Sequence[BookedOrder], *, stops: bool) -> bool:
    """Whether an exit is on its way; a resting stop is one only where ``stops``."""
    closing = [order for order in orders if not order.is_entry and order.status in UNFINISHED_ORDER]
    return any(stops or not order.is_stop for order in closing)


# Each rule is what has to be true, in words, for the statuses it is listed under. A stop may rest while a position is
# OPEN; an exit that waits for a stop to be canceled has no order of its own yet while it is CLOSING.
RULES: dict[PositionStatus, tuple[Rule, ...]] = {
    PositionStatus.OPENING: (
        ("its entry order is unfinished", lambda _, orders: _entries(orders, unfinished=True)),
        ("it has not ended", lambda position, _: not position.has_ended),
    ),
    PositionStatus.OPEN: (
        ("it holds something", lambda position, _: position.figures.quantity > 0),
        ("it has a time of opening and none of its end", lambda p, _: p.was_opened and not p.has_ended),
        ("its entry order has ended", lambda _, orders: _entries(orders, unfinished=False)),
        ("no exit is on its way", lambda _, orders: not _exit_works(orders, stops=False)),
    ),
    PositionStatus.CLOSING: (
        ("it holds something", lambda position, _: position.figures.quantity > 0),
        ("it has a time of opening and none of its end", lambda p, _: p.was_opened and not p.has_ended),
        ("its entry order has ended", lambda _, orders: _entries(orders, unfinished=False)),
        ("an exit is on its way", lambda position, orders: position.exit_wanted or _exit_works(orders, stops=True)),
    ),
    PositionStatus.CLOSED: (
        ("it holds nothing", lambda position, _: not position.figures.quantity and not position.figures.cost),
        ("it has a time of opening and of its end", lambda position, _: position.was_opened and position.has_ended),
        ("all its orders have ended", lambda _, orders: all(order.status in TERMINAL_ORDER for order in orders)),
    ),
    PositionStatus.FLAT: (
        ("it never held anything", lambda position, _: not position.figures.quantity and not position.was_opened),
        ("it has a time of its end", lambda position, _: position.has_ended),
        ("all its orders have ended", lambda _, orders: all(order.status in TERMINAL_ORDER for order in orders)),
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
