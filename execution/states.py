"""What a position and an order can be, and every move between. PURE.

A row of the tables is a status and where it may go next; a move that is not in its table raises ``IllegalMove``. An
order's PARTIAL -> PARTIAL (more fills) is the only move onto itself. Whoever writes a status checks the move first.
"""

from enum import StrEnum

from market.orders import ReportStatus


class PositionStatus(StrEnum):
    """One row is one position, from the entry order to the last fill of its exit."""

    FLAT = "FLAT"  # the entry ended without a fill: there never was a position
    OPENING = "OPENING"  # the entry order is on its way or working, nothing filled yet
    OPEN = "OPEN"  # something is held and no exit was decided; a protective stop may rest
    CLOSING = "CLOSING"  # an exit was decided: what still works is ended, then all of it is sold
    CLOSED = "CLOSED"  # all of it was sold


class OrderStatus(StrEnum):
    """How far an order is known to have come."""

    PREPARED = "PREPARED"  # written down; nothing has been sent
    SENT = "SENT"  # the request may have left this machine; no answer yet
    ACKED = "ACKED"  # the exchange has it, nothing filled yet
    PARTIAL = "PARTIAL"  # some filled, the rest rests
    FILLED = "FILLED"  # all filled
    CANCELED = "CANCELED"  # ended by us, or withdrawn before it was sent; may have fills
    EXPIRED = "EXPIRED"  # ended by the exchange; may have fills
    REJECTED = "REJECTED"  # the exchange said no: it never was in the book
    UNKNOWN = "UNKNOWN"  # sent, and the outcome is not known: ask, never resend
    ABSENT = "ABSENT"  # proven: the exchange never had it and never will


class IllegalMove(Exception):
    """A status was about to change in a way that no table allows."""


POSITION_MOVES: dict[PositionStatus, frozenset[PositionStatus]] = {
    PositionStatus.FLAT: frozenset(),
    PositionStatus.OPENING: frozenset({PositionStatus.OPEN, PositionStatus.FLAT}),
    # Straight to CLOSED when the protective stop sold all of it, or what is left is dust, written off without an order.
    PositionStatus.OPEN: frozenset({PositionStatus.CLOSING, PositionStatus.CLOSED}),
    # Back to OPEN when the exit was rejected, absent, or sold nothing: protected again, and decided anew.
    PositionStatus.CLOSING: frozenset({PositionStatus.CLOSED, PositionStatus.OPEN}),
    PositionStatus.CLOSED: frozenset(),
}

_FOUND = frozenset(
    {OrderStatus.ACKED, OrderStatus.PARTIAL, OrderStatus.FILLED, OrderStatus.CANCELED, OrderStatus.EXPIRED}
)
"""What an order can turn out to be once the exchange is known to have it."""

ORDER_MOVES: dict[OrderStatus, frozenset[OrderStatus]] = {
    # Never to UNKNOWN: SENT is committed before the network is touched, so a PREPARED order certainly was not sent.
    OrderStatus.PREPARED: frozenset({OrderStatus.SENT, OrderStatus.CANCELED}),
    OrderStatus.SENT: _FOUND | {OrderStatus.REJECTED, OrderStatus.UNKNOWN},
    # UNKNOWN when the exchange no longer knows what it acknowledged (a restored backup, a reset test network): the
    # search and the proof of absence start anew. A question that merely got no answer leaves the status alone.
    OrderStatus.ACKED: (_FOUND - {OrderStatus.ACKED}) | {OrderStatus.UNKNOWN},
    # Never to UNKNOWN: it has fills, so it can never be proven absent.
    OrderStatus.PARTIAL: _FOUND - {OrderStatus.ACKED},
    OrderStatus.FILLED: frozenset(),
    OrderStatus.CANCELED: frozenset(),
    OrderStatus.EXPIRED: frozenset(),
    OrderStatus.REJECTED: frozenset(),
    # The only way to ABSENT: not found is no proof until the order had time to arrive.
    OrderStatus.UNKNOWN: _FOUND | {OrderStatus.REJECTED, OrderStatus.ABSENT},
    OrderStatus.ABSENT: frozenset(),
}

LIVE_POSITION = frozenset({PositionStatus.OPENING, PositionStatus.OPEN, PositionStatus.CLOSING})
"""Positions that hold something or may soon: they count as exposure."""

RESTING_ORDER = frozenset({OrderStatus.ACKED, OrderStatus.PARTIAL})
"""Orders that the exchange is known to have, and that have not ended there."""

UNSETTLED_ORDER = frozenset({OrderStatus.PREPARED, OrderStatus.SENT, OrderStatus.UNKNOWN})
"""Orders of which it has to be found out whether the exchange has them."""

UNFINISHED_ORDER = RESTING_ORDER | UNSETTLED_ORDER
"""Orders that may still fill: they are settled before anything new is decided."""

TERMINAL_ORDER = frozenset(OrderStatus) - UNFINISHED_ORDER
"""Orders that nothing more can happen to."""

OPEN_REPORT = frozenset({ReportStatus.NEW, ReportStatus.PARTIAL})
"""What an exchange says of an order that may still fill."""

REPORTED: dict[ReportStatus, OrderStatus] = {
    ReportStatus.NEW: OrderStatus.ACKED,
    ReportStatus.PARTIAL: OrderStatus.PARTIAL,
    ReportStatus.FILLED: OrderStatus.FILLED,
    ReportStatus.CANCELED: OrderStatus.CANCELED,
    ReportStatus.EXPIRED: OrderStatus.EXPIRED,
    ReportStatus.REJECTED: OrderStatus.REJECTED,
    ReportStatus.ABSENT: OrderStatus.ABSENT,
}


def order_status(report: ReportStatus) -> OrderStatus:
    """Our status for the exchange's word."""
    return REPORTED[report]


def is_overtaken(old: OrderStatus, new: OrderStatus) -> bool:
    """Whether ``new`` is what was true of an order before it came to ``old``: somebody else asked later, and booked
    first."""
    if old in TERMINAL_ORDER:
        return new in UNFINISHED_ORDER
    return old is OrderStatus.PARTIAL and new in (OrderStatus.ACKED, OrderStatus.UNKNOWN)


def check_position_move(old: PositionStatus, new: PositionStatus) -> None:
    """Raises IllegalMove when a position may not go from ``old`` to ``new``."""
    if new not in POSITION_MOVES[old]:
        raise IllegalMove(f"a position does not go from {old} to {new}")


def check_order_move(old: OrderStatus, new: OrderStatus) -> None:
    """Raises IllegalMove when an order may not go from ``old`` to ``new``."""
    if new not in ORDER_MOVES[old]:
        raise IllegalMove(f"an order does not go from {old} to {new}")
