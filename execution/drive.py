"""Carry a position on, step by step, to where it rests: settled, protected or closed.

Ticks, the reconciler and recovery after a crash all come through here, and do the same. An entry is never sent here:
recovery asks what became of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

import structlog

from execution.crash_points import crash_point
from execution.intents import request_of, sent_of, stop_prices
from execution.models import Order, Position, Purpose
from execution.record import LostRace, record, record_unknown
from execution.states import UNFINISHED_ORDER, OrderStatus, PositionStatus
from execution.steps import Kind, Scene, Step, Working, next_step
from execution.submit import Exit, Means, decide_exit, is_rest, protect, sell, write_off
from market.clock import Now
from market.exchange import ExchangeError
from market.instruments import Instrument
from market.money import ZERO, exact
from market.orders import OrderReport, ReportStatus
from risk.deadman import present_stage
from risk.deadman_stage import Stage
from risk.decisions import Grounds
from risk.halts import open_halts

log = structlog.get_logger()

MOST_STEPS = 12
"""More than any history needs: what goes on longer waits for the next round."""

PAUSE = timedelta(seconds=4)
"""Wall time between two attempts to protect or to sell when the one before failed."""

LONG_PAUSE = timedelta(seconds=30)
"""The same after several attempts."""

LONGEST_PAUSE = timedelta(minutes=5)
"""The same for a stop that is refused again and again, as beyond the number that a symbol may have: every attempt is
told, and the platform watches the price meanwhile. An exit is never put off for so long."""

FEW, MANY = 5, 20
"""Attempts."""


def drive(position_id: int, means: Means, *, at_once: bool = False) -> PositionStatus:
    """Do what can be done about a position now, and return its status then.

    Call it outside a transaction, holding the bot's lease: nobody else then sends for this bot. ``at_once``: an exit
    was decided just now, and is tried however the one before ended.
    """
    asked: set[int] = set()
    for _ in range(MOST_STEPS):
        view = _look(position_id, means, asked, at_once)
        step, working = next_step(view.scene)
        if step is Step.REST or not _take(step, working, view, means, asked):
            break
        at_once = at_once and step is not Step.SELL
    return PositionStatus(Position.objects.values_list("status", flat=True).get(pk=position_id))


def leave(position: Position, wish: Exit, grounds: Grounds | None, means: Means) -> PositionStatus:
    """Decide to close an OPEN position, and carry it out as far as can be. Raises record.LostRace when it is not OPEN
    any more."""
    decide_exit(position, wish, grounds, means.clock())
    return drive(position.pk, means, at_once=True)


def ask(order: Order, means: Means) -> bool:
    """What became of an order, asked and booked. False when there was no answer."""
    if order.status == OrderStatus.SENT:
        record_unknown(order, "the process that sent it did not come back", means.clock())
        crash_point("unknown_recorded")
    try:
        report = means.executor.query(request_of(order), sent_of(order), means.clock())
    except ExchangeError as error:
        log.warning("order_unsettled", order=order.client_order_id, status=order.status, error=str(error))
        return False
    crash_point("asked")
    if report.status is ReportStatus.ABSENT and order.status == OrderStatus.ACKED:
        record_unknown(order, "the exchange does not know it any more", means.clock())
    status = record(order, report, means.clock())
    crash_point("settled")
    log.info("order_settled", order=order.client_order_id, status=status, answer=report.reason)
    return True


@dataclass(frozen=True, slots=True)
class _View:
    """A position as read, and its unfinished orders by id."""

    position: Position
    orders: dict[int, Order]
    scene: Scene = field(compare=False)


def _look(position_id: int, means: Means, asked: set[int], at_once: bool) -> _View:
    position = Position.objects.get(pk=position_id)
    orders = {o.pk: o for o in position.orders.filter(status__in=list(UNFINISHED_ORDER)).order_by("pk")}
    sellable = _sellable(position, means.instrument)
    scene = Scene(
        status=PositionStatus(position.status),
        sellable=sellable,
        working=tuple(_working(order) for order in orders.values()),
        protected=_may_protect(position, sellable, means),
        selling=_may_sell(position, means, at_once),
        entering=_may_enter(orders.values(), means),
        asked=frozenset(asked),
    )
    return _View(position, orders, scene)


def _working(order: Order) -> Working:
    with exact():
        return Working(order.pk, Kind(order.purpose), OrderStatus(order.status), order.amount - order.filled)


def _sellable(position: Position, instrument: Instrument | None) -> Decimal | None:
    """On the lot step; 0 for what is given up as dust; None while the step is not known, or cannot be true: what is
    worth something is not written off because a listing says that it is too little."""
    if not position.quantity:
        return ZERO
    if instrument is None or (instrument.too_few(position.quantity) and not is_rest(position, instrument)):
        return None
    return ZERO if instrument.too_few(position.quantity) else instrument.round_amount_down(position.quantity)


def _may_protect(position: Position, sellable: Decimal | None, means: Means) -> bool:
    """Whether a stop could rest for it now. What the exchange's rules forbid is not even tried: the platform guards."""
    if position.status != PositionStatus.OPEN:
        return False
    if means.instrument is None or sellable is None or not means.executor.holds_stops:
        return False
    _, limit = stop_prices(position, means.instrument)
    possible = means.instrument.why_not(sellable, limit) is None
    return possible and not is_pausing(position, Purpose.STOP, means.clock())


def _may_sell(position: Position, means: Means, at_once: bool) -> bool:
    """Whether an exit could be sent now: while a symbol is halted its stop rests on."""
    if position.status != PositionStatus.CLOSING or means.instrument is None or not means.instrument.active:
        return False
    return at_once or not is_pausing(position, Purpose.EXIT, means.clock())


def _may_enter(orders: Iterable[Order], means: Means) -> bool:
    """Whether an entry that rests at the exchange may go on buying: not once its bot, its account or everything was
    halted, or the dead man's switch has triggered."""
    working = next((order for order in orders if order.purpose == Purpose.ENTRY), None)
    if working is None:
        return True
    now = means.clock()
    halted = open_halts(working.account_id, working.bot_id, now)
    return not halted and present_stage(now.wall_at) is not Stage.TRIGGERED


def is_pausing(position: Position, purpose: Purpose, now: Now) -> bool:
    """Whether the last order of this kind failed a moment ago."""
    last = position.orders.filter(purpose=purpose).order_by("-id").first()
    if last is None or last.finished_at is None or last.filled:
        return False
    if last.status == OrderStatus.CANCELED and last.exchange_order_id:
        return False  # ended by us, on purpose
    attempts = position.exit_attempts if purpose is Purpose.EXIT else position.stop_attempts
    return timedelta(0) <= now.wall_at - last.finished_at < _pause(purpose, attempts)


def _pause(purpose: Purpose, attempts: int) -> timedelta:
    if attempts <= FEW:
        return PAUSE
    return LONGEST_PAUSE if purpose is Purpose.STOP and attempts > MANY else LONG_PAUSE


def _take(step: Step, working: Working | None, view: _View, means: Means, asked: set[int]) -> bool:
    """Take one step. False when going on makes no sense now."""
    position = view.position
    try:
        if working is not None:
            return _about(step, view.orders[working.order_id], means, asked)
        if step is Step.WRITE_OFF:
            write_off(position.pk, position.account_id, means.clock())
        elif means.instrument is not None:  # the table sells and protects nothing while it is not known
            act = sell if step is Step.SELL else protect
            act(position.pk, position.account_id, means.instrument, means)
    except LostRace as error:
        log.info("step_lost_race", step=step, position=position.pk, error=str(error))
        return False
    return True


def _about(step: Step, order: Order, means: Means, asked: set[int]) -> bool:
    match step:
        case Step.WITHDRAW:
            withdrawn = OrderReport(order.client_order_id, ReportStatus.CANCELED, reason="withdrawn: it was never sent")
            record(order, withdrawn, means.clock())
            return True
        case Step.ASK:
            asked.add(order.pk)
            return ask(order, means)
    return _cancel(order, means)


def _cancel(order: Order, means: Means) -> bool:
    """End an order at the exchange, and book what it came to. False when it is not known to have ended."""
    try:
        report = means.executor.cancel(request_of(order), means.clock())
    except ExchangeError as error:
        log.warning("order_not_canceled", order=order.client_order_id, error=str(error))
        return ask(order, means) and Order.objects.get(pk=order.pk).status not in UNFINISHED_ORDER
    crash_point("cancel_answered")
    status = record(order, report, means.clock())
    crash_point("cancel_recorded")
    log.info("order_canceled", order=order.client_order_id, status=status, fills=len(report.fills))
    return status not in UNFINISHED_ORDER
