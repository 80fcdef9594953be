"""What must hold whatever went wrong, as functions over our rows and the exchange's own ledger.

Each returns what it found violated, in words. Those in ``ALWAYS`` hold at every moment; those in ``AT_REST`` once the
faults have stopped and the platform has had its rounds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from django.db.models import Q

from bots.models import ExchangeAccount
from execution.models import AssetBalance, Order, Portfolio, Position, Purpose, Trade
from execution.states import LIVE_POSITION, POSITION_MOVES, UNFINISHED_ORDER, OrderStatus, PositionStatus
from execution.verify import verify
from market.clock import ms_of
from notifications.models import Condition, Event
from proof.forbidden import Span, arrived_while_forbidden, let_go_while_forbidden
from proof.journal import Entry, entered_twice, name_of, oversold
from proof.stops import TINY
from proof.venue import Venue
from risk.exits import stop_limit
from risk.models import Decision, Halt, Outcome
from risk.review import CHECKS
from simexchange.orders.order import Order as VenueOrder

_ZERO = Decimal(0)


@dataclass
class Evidence:
    """One account, the exchange that it trades at, and what else the history knows.

    ``drifted``: somebody traded by hand, so balances may differ if it was told. ``notes`` are violations that were seen
    on the way; ``forbidden`` when which bots might enter nothing; ``tightened_ms`` when the largest order became tiny.
    """

    account: ExchangeAccount
    venue: Venue
    drifted: bool = False
    notes: list[str] = field(default_factory=list)
    forbidden: list[Span] = field(default_factory=list)
    tightened_ms: int | None = None

    @cached_property
    def venue_orders(self) -> list[VenueOrder]:
        """Ours, by their prefix."""
        return [order for order in self.venue.orders() if self._ours(order.client_order_id)]

    @cached_property
    def journal(self) -> list[Entry]:
        return [entry for entry in self.venue.journal() if self._ours(entry.order.client_order_id)]

    @cached_property
    def orders(self) -> dict[str, Order]:
        rows = Order.objects.filter(account=self.account).select_related("decision", "position")
        return {order.client_order_id: order for order in rows}

    @cached_property
    def positions(self) -> list[Position]:
        return list(Position.objects.filter(account=self.account))

    @cached_property
    def trades(self) -> list[Trade]:
        return list(Trade.objects.filter(account=self.account))

    def _ours(self, client_order_id: str) -> bool:
        name = name_of(client_order_id)
        return name is not None and name.prefix == self.account.order_prefix


def one_entry_order(e: Evidence) -> list[str]:
    """I-1: at most one entry order at the exchange per position, ever."""
    return entered_twice(e.journal)


def quantity_is_sum_of_fills(e: Evidence) -> list[str]:
    """I-2: fills less base fees are what the position holds; what was written off at its end counts as held."""
    sums: Counter[int] = Counter()
    totals = dict.fromkeys((position.pk for position in e.positions), _ZERO)
    for trade in e.trades:
        base = trade.symbol.partition("/")[0]
        fee = trade.fee if trade.fee_currency == base else _ZERO
        totals[trade.position_id] += (trade.amount if trade.side == "BUY" else -trade.amount) - fee
        sums[trade.position_id] += 1
    return [
        f"I-2 position {position.pk} ({position.status}): its {sums[position.pk]} fills come to {totals[position.pk]}, "
        f"it has {position.quantity} and {position.dust} written off"
        for position in e.positions
        if totals[position.pk] != position.quantity + position.dust
    ]


def intent_before_arrival(e: Evidence) -> list[str]:
    """I-3: every order of ours at the exchange has its row, committed as sent before it arrived."""
    found = []
    for there in e.venue_orders:
        row = e.orders.get(there.client_order_id)
        if row is None:
            found.append(f"I-3 {there.client_order_id} is at the exchange and not in our database")
        elif row.sent_at is None or ms_of(row.sent_at) > there.time_ms or ms_of(row.prepared_at) > there.time_ms:
            found.append(f"I-3 {there.client_order_id} arrived at {there.time_ms}, sent_at is {row.sent_at}")
    return found


def entries_were_approved(e: Evidence) -> list[str]:
    """I-4 and I-14: an entry that was let go has an approved decision with every check passed; a refusal has none."""
    found = []
    for order in e.orders.values():
        if order.purpose != Purpose.ENTRY or (order.sent_at is None and order.status == OrderStatus.PREPARED):
            continue
        decision = order.decision
        if decision is None or decision.outcome != Outcome.APPROVED:
            found.append(f"I-14 {order.client_order_id} was made by {decision}")
        elif missing := {check.name for check in CHECKS} - {c["name"] for c in decision.checks if c["passed"]}:
            found.append(f"I-4 {order.client_order_id} was approved without {', '.join(sorted(missing))}")
        elif decision.wall_at > order.prepared_at:
            found.append(f"I-4 {order.client_order_id} was decided after its intent")
    refused = Decision.objects.filter(outcome=Outcome.REFUSED, bot__account=e.account)
    found += [f"I-14 {decision} has an order" for decision in refused if decision.orders.exists()]
    return found


def stops_hold(e: Evidence) -> list[str]:
    """I-6: while a bot is stopped, by whatever, none of its entries is let go; one on its way already may arrive."""
    let_go = let_go_while_forbidden(e.forbidden, e.orders.values())
    return let_go + arrived_while_forbidden(e.forbidden, e.venue_orders)


def limits_hold(e: Evidence) -> list[str]:
    """I-19: what is decided after a limit was tightened keeps to it."""
    if e.tightened_ms is None:
        return []
    most = Decimal(TINY) * Portfolio.objects.get(account=e.account).peak_equity
    entries = [order for order in e.orders.values() if order.purpose == Purpose.ENTRY]
    later = [order for order in entries if ms_of(order.prepared_at) > e.tightened_ms]
    costs = {order.client_order_id: order.amount * (order.worst_price or _ZERO) for order in later}
    return [f"I-19 {name} may cost {cost}, {most} is allowed" for name, cost in costs.items() if cost > most]


def ticks_succeed(e: Evidence) -> list[str]:
    """No tick fails: a race or an exchange that is away is no failure."""
    failed = Decision.objects.filter(outcome=Outcome.FAILED, bot__account=e.account)
    return [f"a tick of bot {row.bot_id} failed: {row.reason}" for row in failed if "LostRace" not in row.reason]


def one_live_position(e: Evidence) -> list[str]:
    """I-8: one live position per bot."""
    live = Counter(position.bot_id for position in e.positions if PositionStatus(position.status) in LIVE_POSITION)
    return [f"I-8 bot {bot} has {number} live positions" for bot, number in live.items() if number > 1]


def legal_moves(e: Evidence) -> list[str]:
    """I-8: the log tells only of moves that the table has. Moves that nobody is told of (the decision to close) may lie
    between two that are told."""
    found, last = [], dict[str, PositionStatus]()
    bots = e.account.bots.values_list("pk", flat=True)
    told = Event.objects.filter(Q(kind__startswith="position_") | Q(kind__endswith="_failed"), bot_id__in=list(bots))
    for payload in told.order_by("pk").values_list("payload", flat=True):
        if "position" not in payload:
            continue
        key, new = payload["position"], PositionStatus(payload["status"])
        old = last.get(key, PositionStatus.OPENING)
        if new is not old and not _reachable(old, new):
            found.append(f"I-8 position {key} went from {old} to {new}")
        last[key] = new
    return found


def _reachable(old: PositionStatus, new: PositionStatus) -> bool:
    return new in POSITION_MOVES[old] or any(new in POSITION_MOVES[between] for between in POSITION_MOVES[old])


def never_oversold(e: Evidence) -> list[str]:
    """I-12: at no moment was more sold or on offer than was held, nor were two closing orders open at once."""
    return oversold(e.journal)


def fills_once(e: Evidence) -> list[str]:
    """I-13: no fill is booked twice, and an order's sums are those of its fills."""
    found = []
    for order in e.orders.values():
        own = [trade for trade in e.trades if trade.order_id == order.pk]
        total = sum((trade.amount for trade in own), _ZERO)
        if len({trade.trade_id for trade in own}) < len(own) or total != order.filled:
            found.append(f"I-13 {order.client_order_id}: {len(own)} fills of {total}, filled is {order.filled}")
        if total > order.amount:
            found.append(f"I-13 {order.client_order_id}: {total} of {order.amount} filled")
    return found


def books_follow_the_exchange(e: Evidence) -> list[str]:
    """I-2, I-13: our fills are exactly the exchange's; nothing is missing and nothing invented."""
    ours = {(trade.symbol.replace("/", ""), int(trade.trade_id)): trade for trade in e.trades}
    numbers = {(order.symbol, order.order_id) for order in e.venue_orders}
    theirs = {(f.symbol, f.trade_id): f for f in e.venue.fills() if (f.symbol, f.order_id) in numbers}
    found = [f"I-2 fill {key} of the exchange is not booked" for key in theirs.keys() - ours.keys()]
    found += [f"I-13 fill {key} is booked and not at the exchange" for key in ours.keys() - theirs.keys()]
    for key in ours.keys() & theirs.keys():
        trade, fill = ours[key], theirs[key]
        there = (fill.price, fill.quantity, fill.commission, fill.commission_asset)
        if (trade.price, trade.amount, trade.fee, trade.fee_currency) != there:
            found.append(f"I-2 fill {key} differs from the exchange's: {trade}, {there}")
    return found


def balances_agree(e: Evidence) -> list[str]:
    """I-5: what we think the account has is what it has, to the last digit; where somebody traded by hand, entries are
    halted."""
    rows = {row.asset: row.amount + row.untracked for row in AssetBalance.objects.filter(account=e.account)}
    held = {asset: both.free + both.locked for asset, both in e.venue.exchange.account.balances.items()}
    differ = [
        f"I-5 {asset}: we have {rows.get(asset, _ZERO)}, the exchange {held.get(asset, _ZERO)}"
        for asset in sorted(rows.keys() | held.keys())
        if rows.get(asset, _ZERO) != held.get(asset, _ZERO)
    ]
    told = Halt.objects.filter(account=e.account, cause="balance_drift", cleared_at=None).exists()
    return [] if e.drifted and told else differ


def books_add_up(e: Evidence) -> list[str]:
    """I-5: every total is what the fills come to, recomputed from nothing."""
    return [f"I-5 {difference}" for difference in verify(e.account).differences]


def nothing_unknown(e: Evidence) -> list[str]:
    """I-10: every order's outcome is known; only a protective stop may still rest."""
    return [
        f"I-10 {order.client_order_id} is {order.status}: {order.answer}"
        for order in e.orders.values()
        if OrderStatus(order.status) in UNFINISHED_ORDER and not _rests(order)
    ]


def _rests(order: Order) -> bool:
    return order.purpose == Purpose.STOP and order.status in (OrderStatus.ACKED, OrderStatus.PARTIAL)


def exits_are_known(e: Evidence) -> list[str]:
    """I-11: every open position has a stop that rests at the exchange; where it is too small for one, people know."""
    resting = {o.client_order_id: o for o in e.venue.exchange.account.open_orders.values()}
    told = set(Condition.objects.filter(kind="position_unprotected", ended_at=None).values_list("subject", flat=True))
    found = []
    for position in e.positions:
        if position.status != PositionStatus.OPEN or (_too_small(e, position) and str(position.pk) in told):
            continue
        own = [order for order in e.orders.values() if order.position_id == position.pk and _rests(order)]
        if not any(order.client_order_id in resting for order in own):
            found.append(f"I-11 position {position.pk} of {position.quantity} has no stop at the exchange")
    known = {order.client_order_id for order in e.orders.values() if OrderStatus(order.status) in UNFINISHED_ORDER}
    found += [f"I-11 {name} rests and we think it has ended" for name in resting if e._ours(name) and name not in known]
    return found


def _too_small(e: Evidence, position: Position) -> bool:
    """Whether the exchange would refuse a stop for it, however it is asked."""
    symbol = position.symbol.replace("/", "")
    rules = e.venue.exchange.market.instrument(symbol)
    amount = position.quantity // rules.step * rules.step
    return amount * stop_limit(position.stop_price) < rules.min_notional


def at_rest(e: Evidence) -> list[str]:
    """I-20: nothing is on its way in or out."""
    moving = (PositionStatus.OPENING, PositionStatus.CLOSING)
    return [f"I-20 position {p.pk} is {p.status}: {p.exit_text}" for p in e.positions if p.status in moving]


def seen_on_the_way(e: Evidence) -> list[str]:
    """What the history itself noticed: a request inside a transaction, an error that nobody expects."""
    return e.notes


Invariant = Callable[[Evidence], list[str]]

ALWAYS: tuple[Invariant, ...] = (
    one_entry_order,
    quantity_is_sum_of_fills,
    intent_before_arrival,
    entries_were_approved,
    stops_hold,
    limits_hold,
    ticks_succeed,
    one_live_position,
    legal_moves,
    never_oversold,
    fills_once,
    seen_on_the_way,
)
AT_REST: tuple[Invariant, ...] = (
    *ALWAYS,
    books_follow_the_exchange,
    balances_agree,
    books_add_up,
    nothing_unknown,
    exits_are_known,
    at_rest,
)


def violations(e: Evidence, invariants: tuple[Invariant, ...] = AT_REST) -> list[str]:
    """All that does not hold, in words."""
    return [found for invariant in invariants for found in invariant(e)]
