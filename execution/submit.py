"""From a decision to an order: one transaction that reviews and writes the intent, then, after its commit, the send.

Nothing else in the code base can send an order: ``_send`` is private, and takes an ``Approved`` that only the review
makes, or a ``Reduction`` that only ``leave`` makes and that can do no more than sell what the position holds.
"""

from dataclasses import dataclass
from decimal import Decimal

import structlog

from bots.lifecycle import halt
from bots.models import Bot
from execution import announce
from execution.executors import BaseExecutor
from execution.lock import under_portfolio_lock
from execution.models import Order, Portfolio, Position, Purpose
from execution.portfolio import Pricing, read_exposure
from execution.record import LostRace, mark_sent, record, record_unknown, write_off_dust
from execution.states import OrderStatus, PositionStatus
from execution.totals import book_change, figures, holding, value
from market.clock import Now
from market.exchange import OutcomeUnknown
from market.instruments import Instrument
from market.money import exact
from market.orders import OrderReport, OrderRequest, OrderType, ReportStatus, Side
from notifications.events import publish
from notifications.models import Severity
from risk.deadman import pull
from risk.decisions import Grounds, write_decision
from risk.exits import ExitReason
from risk.halts import open_halts, raise_halt
from risk.models import Decision, Outcome
from risk.review import breakers_open, review
from risk.verdicts import Approved, CheckResult, Exposure, Proposal, Refused

log = structlog.get_logger()

DUST_COST = 10
"""What cost more than so many minimum notionals is never written off for its price."""

BREAKER_SCOPES = {"drawdown": "bot", "portfolio_drawdown": "account"}
"""What a breaker halts when it fires, until an operator clears it."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Leave to sell what a position holds. Needs no approval: an exit is never blocked."""

    position_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Exit:
    """Close a position: why, in words, the price it was decided at, and what the market bids now (None: not known)."""

    reason: ExitReason
    text: str
    reference_price: Decimal
    bid: Decimal | None = None


def enter(
    bot: Bot, proposal: Proposal, pricing: Pricing, grounds: Grounds, executor: BaseExecutor, now: Now
) -> Approved | Refused:
    """Review a proposal and, when every check passes, send its order. The decision is stored either way.

    ``bot`` is the bot as the tick decided with it. Call it outside a transaction.
    """

    def gate(portfolio: Portfolio) -> tuple[Approved | Refused, Order | None]:
        locked = Bot.objects.select_related("account", "book").get(pk=bot.pk)
        exposure = read_exposure(portfolio, locked, bot, proposal, pricing, now)
        verdict = review(proposal, exposure)
        if isinstance(verdict, Refused):
            _write_refusal(locked, verdict, exposure, grounds, now)
            return verdict, None
        return verdict, _write_entry(portfolio, locked, verdict, pricing.quote.ask, grounds, now)

    verdict, order = under_portfolio_lock(bot.account_id, gate)
    if order is not None and isinstance(verdict, Approved):
        _send(verdict, order, executor, now)
    return verdict


def leave(
    position: Position, wish: Exit, instrument: Instrument, grounds: Grounds | None, executor: BaseExecutor, now: Now
) -> None:
    """Sell what a position holds. ``grounds`` belong to a tick, whose decision is stored; None between ticks.

    What is too little for the exchange to sell is written off instead. Raises record.LostRace when the position is not
    OPEN any more: somebody else is closing it.
    """

    def gate(portfolio: Portfolio) -> Order | None:
        held = Position.objects.select_related("bot__account", "bot__book").get(pk=position.pk)
        decision = write_decision(held.bot, grounds, Outcome.EXIT, wish.text, now) if grounds else None
        if _is_dust(held, wish.bid, instrument):
            write_off_dust(portfolio, held, wish.reason, now)
            return None
        return _write_exit(held, wish, instrument.round_amount_down(held.quantity), decision, now)

    order = under_portfolio_lock(position.account_id, gate)
    if order is not None:
        _send(Reduction(position.pk, order.amount), order, executor, now)


def _is_dust(held: Position, bid: Decimal | None, instrument: Instrument) -> bool:
    """Whether a rest is given up without an order: it cannot be sold at any price, or it never was worth much and is
    below the minimum at the market's own bid. A bad print must not write off a whole position."""
    if instrument.too_few(held.quantity):
        return True
    with exact():
        was_small = held.cost <= DUST_COST * instrument.min_notional
    return was_small and bid is not None and instrument.is_dust(held.quantity, bid)


def request_of(order: Order) -> OrderRequest:
    """The row as the request that an executor takes."""
    return OrderRequest(
        client_order_id=order.client_order_id,
        symbol=order.symbol,
        side=Side(order.side),
        type=OrderType(order.type),
        amount=order.amount,
        price=order.price,
        stop_price=order.stop_price,
        worst_price=order.worst_price,
    )


def sent_of(order: Order) -> Now:
    """When the order was sent (its intent, where that is not known), on both clocks."""
    wall_at = order.sent_at or order.prepared_at
    return Now(round(wall_at.timestamp() * 1000), round(order.market_at.timestamp() * 1000))


def client_order_id(bot: Bot, slot: int, purpose: Purpose, attempt: int = 0) -> str:
    """Our name for an order, at most 32 of [A-Za-z0-9_-]: installation, bot, slot of the entry, purpose, attempt."""
    kind = {Purpose.ENTRY: "e", Purpose.EXIT: "x", Purpose.STOP: "s"}[purpose]
    return f"{bot.account.order_prefix}-{bot.pk}-{slot}-{kind}{attempt or ''}"


def _send(permit: Approved | Reduction, order: Order, executor: BaseExecutor, now: Now) -> None:
    """The only place that calls an executor. An error that is not an answer leaves the order SENT, to be asked for."""
    stopped = under_portfolio_lock(order.account_id, lambda _: _let_go(permit, order, now))
    if stopped:
        record(order, OrderReport(order.client_order_id, ReportStatus.CANCELED, reason=stopped), now)
        return
    try:
        report = executor.submit(request_of(order), now)
    except OutcomeUnknown as error:
        log.warning("order_unknown", order=order.client_order_id, error=str(error))
        record_unknown(order, str(error), now)
        return
    status = record(order, report, now)
    log.info("order", order=order.client_order_id, status=status, answer=report.reason, fills=len(report.fills))


def _let_go(permit: Approved | Reduction, order: Order, now: Now) -> str:
    """Commit that the order may leave this machine, or say what was pulled since the review: then it never leaves.

    One transaction under the lock that halts and pauses take too, so nothing comes between the look and the mark.
    """
    stopped = _why_stopped(order, now) if isinstance(permit, Approved) else ""
    if not stopped:
        mark_sent(order, now)
    return stopped


def _why_stopped(order: Order, now: Now) -> str:
    if pull(now):
        return "withdrawn: the dead man's switch has triggered"
    halts = open_halts(order.account_id, order.bot_id)
    if halts:
        return f"withdrawn: {halts[0]}"
    bot = Bot.objects.get(pk=order.bot_id)
    return "" if bot.may_enter else f"withdrawn: the bot is {bot.status}"


def _write_refusal(bot: Bot, verdict: Refused, exposure: Exposure, grounds: Grounds, now: Now) -> None:
    write_decision(
        bot, grounds, Outcome.REFUSED, verdict.reason, now, checks=verdict.results, failed_check=verdict.check
    )
    publish(
        "risk_refused",
        f"{bot.name} may not enter {verdict.proposal.symbol}: {verdict.reason}",
        severity=Severity.WARNING,
        bot_id=bot.pk,
        payload={"check": verdict.check, "limit": verdict.limit, "value": verdict.value},
        market_at=now.market_at,
        wall_at=now.wall_at,
    )
    for breaker in breakers_open(verdict.proposal, exposure):
        _halt(bot, breaker, now)


def _halt(bot: Bot, breaker: CheckResult, now: Now) -> None:
    """A breaker's limit is reached: its scope enters nothing until an operator clears it."""
    figures = {"check": breaker.name, "limit": breaker.limit, "value": breaker.value}
    of_account = BREAKER_SCOPES[breaker.name] == "account"
    who = f"account {bot.account.name}" if of_account else f"bot {bot.name}"
    text = f"{who} halted by {breaker.name}, entries stop: {breaker.note}"
    if of_account:
        raise_halt(bot.account, None, breaker.name, text, figures, now)
    elif raise_halt(bot.account, bot, breaker.name, text, figures, now):
        halt(bot.pk, text, now=now, actor="risk")


def _write_entry(portfolio: Portfolio, bot: Bot, verdict: Approved, ask: Decimal, grounds: Grounds, now: Now) -> Order:
    """Decision, position and order in one go, the notional reserved: from here on it counts as exposure."""
    proposal = verdict.proposal
    decision = write_decision(bot, grounds, Outcome.APPROVED, proposal.reason, now, checks=verdict.results)
    if proposal.stop_price is None:
        raise AssertionError("the review approves nothing without a stop")
    position = Position(
        account_id=bot.account_id,
        bot=bot,
        symbol=proposal.symbol,
        status=PositionStatus.OPENING,
        entry_slot=proposal.slot,
        stop_price=proposal.stop_price,
        target_price=proposal.target_price,
        created_at=now.market_at,
    )
    before = figures(position)
    value(position, holding(position), proposal.notional)
    position.save()
    book_change(portfolio, bot.book, position, before)
    order = Order.objects.create(
        account_id=bot.account_id,
        bot=bot,
        position=position,
        decision=decision,
        client_order_id=client_order_id(bot, proposal.slot, Purpose.ENTRY),
        purpose=Purpose.ENTRY,
        symbol=proposal.symbol,
        side=Side.BUY,
        type=OrderType.MARKET,
        amount=proposal.amount,
        worst_price=proposal.reference_price,
        reference_price=ask,
        status=OrderStatus.PREPARED,
        reason=proposal.reason[:300],
        market_at=now.market_at,
        prepared_at=now.wall_at,
    )
    announce.order_placed(order, now)
    return order


def _write_exit(held: Position, wish: Exit, amount: Decimal, decision: Decision | None, now: Now) -> Order:
    attempt = held.exit_attempts + 1
    moved = Position.objects.filter(pk=held.pk, status=PositionStatus.OPEN).update(
        status=PositionStatus.CLOSING, exit_reason=wish.reason, exit_attempts=attempt
    )
    if moved != 1:
        raise LostRace(f"position {held.pk} is {held.status}, not OPEN")
    order = Order.objects.create(
        account_id=held.account_id,
        bot=held.bot,
        position=held,
        decision=decision,
        client_order_id=client_order_id(held.bot, held.entry_slot, Purpose.EXIT, attempt),
        purpose=Purpose.EXIT,
        symbol=held.symbol,
        side=Side.SELL,
        type=OrderType.MARKET,
        amount=amount,
        reference_price=wish.reference_price,
        status=OrderStatus.PREPARED,
        reason=wish.text[:300],
        market_at=now.market_at,
        prepared_at=now.wall_at,
    )
    announce.order_placed(order, now)
    return order
