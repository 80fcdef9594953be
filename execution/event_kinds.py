"""The kinds of events of this floor: orders and positions, refusals and breakers. PURE."""

from dataclasses import dataclass
from decimal import Decimal

from notifications.kinds import Payload


@dataclass(frozen=True)
class OfOrder(Payload):
    """An order as it is after what is told. ``order`` is its client order id, ``cost`` what was filled in quote."""

    order: str
    purpose: str
    side: str
    symbol: str
    amount: Decimal
    filled: Decimal
    cost: Decimal
    status: str
    reason: str
    answer: str


class OrderPlaced(OfOrder, kind="order_placed"):
    """An order was written down and is about to be sent."""


class OrderAccepted(OfOrder, kind="order_accepted"):
    """The exchange has taken an order; it rests there."""


class OrderPartlyFilled(OfOrder, kind="order_partly_filled"):
    """A part of an order was filled, and the rest still works."""


class OrderFilled(OfOrder, kind="order_filled"):
    """An order was filled completely."""


class OrderCanceled(OfOrder, kind="order_canceled"):
    """An order was cancelled, by us or at the exchange, or withdrawn before it left this machine."""


class OrderExpired(OfOrder, kind="order_expired"):
    """The exchange let an order expire."""


class OrderRejected(OfOrder, kind="order_rejected"):
    """The exchange refused an order."""


class OrderUnknown(OfOrder, kind="order_unknown"):
    """An order was sent and nobody knows what became of it: it is asked for until that is known."""


class OrderAbsent(OfOrder, kind="order_absent"):
    """An order that was sent is proven never to have reached the exchange."""


class OrderResolved(OfOrder, kind="order_resolved"):
    """What became of an unknown order is known: ``status`` says it, and the event of that status came just before."""


@dataclass(frozen=True)
class OfPosition(Payload):
    """A position as it is after what is told. Prices and money in quote."""

    position: str
    symbol: str
    status: str
    quantity: Decimal
    entry_price: Decimal | None
    exit_price: Decimal | None
    stop_price: Decimal | None
    realised: Decimal
    fees: Decimal
    exit_reason: str


class PositionOpened(OfPosition, kind="position_opened"):
    """An entry is over, and what it bought is held."""


class PositionClosed(OfPosition, kind="position_closed"):
    """Everything that was held is sold, or written off."""


class PositionChanged(OfPosition, kind="position_changed"):
    """A position moved to a status that no other kind tells of."""


class EntryFailed(OfPosition, kind="entry_failed"):
    """An entry bought nothing."""


class ExitFailed(OfPosition, kind="exit_failed"):
    """An exit sold nothing, or not all: the position is open again."""


class DustWrittenOff(OfPosition, kind="dust_written_off"):
    """What was left of a position was too little to sell."""


@dataclass(frozen=True)
class RiskRefused(Payload, kind="risk_refused"):
    """A check refused an entry: the limit, and the value that was measured against it; what an AI thought of it."""

    check: str
    limit: str
    value: str
    opinion: str = ""


@dataclass(frozen=True)
class BreakerFired(Payload, kind="breaker_fired"):
    """A circuit breaker fired; the halt that it raised is told by ``halt_raised`` in the same transaction."""

    breaker: str
    scope: str  # bot or account
    limit: Decimal  # fractions
    value: Decimal
    lost: Decimal  # in quote
    allowed: Decimal
    overshoot: Decimal


class Reconciled(Payload, kind="reconciled"):
    """After a start, a live account's books were found to agree with the exchange: its bots may enter."""
