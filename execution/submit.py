"""From a decision to an order: one transaction that reviews and writes the intent, then, after its commit, the send.

Nothing else in the code base can send an order: ``_send`` is private, and takes an ``Approved`` that only the review
makes, or a ``Reduction`` that only this file makes and that can do no more than sell what the position holds.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import structlog

from bots.ai import AiMode
from bots.models import Bot, ExchangeAccount
from execution.breakers import fire
from execution.crash_points import crash_point
from execution.event_kinds import RiskRefused
from execution.executors import BaseExecutor
from execution.intents import request_of, write_entry, write_exit, write_stop
from execution.lock import under_portfolio_lock
from execution.log_lines import about
from execution.models import Order, Portfolio, Position, Purpose
from execution.portfolio import Pricing, read_exposure
from execution.record import LostRace, close_out, mark_closing, mark_sent, record, record_unknown
from execution.states import UNFINISHED_ORDER, OrderStatus, PositionStatus
from market.clock import Now
from market.exchange import OutcomeUnknown, Withheld
from market.instruments import Instrument
from market.money import exact
from market.orders import OrderReport, ReportStatus
from notifications.events import publish
from notifications.models import Severity
from risk.deadman import clock_problem, pull
from risk.decisions import Grounds, write_decision
from risk.exits import ExitReason
from risk.halts import open_halts, raise_halt
from risk.models import Outcome
from risk.opinion import CHECK, obeyed, sentence
from risk.review import review
from risk.verdicts import Approved, Proposal, Refused

log = structlog.get_logger()

DUST_COST = 10
"""A whole position that cost more than so many minimum notionals is never written off."""

KEY_REFUSED = frozenset({"-1002", "-1022", "-2014", "-2015"})
"""The exchange's codes for a key that it does not take: trying again would end the same way."""


@dataclass(frozen=True, slots=True)
class Reduction:
    """Leave to sell what a position holds. Needs no approval: an exit is never blocked."""

    position_id: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class Exit:
    """Close a position: why, in words, and the price it was decided at."""

    reason: ExitReason
    text: str
    reference_price: Decimal


@dataclass(frozen=True, slots=True)
class Means:
    """What orders of one symbol are sent with: where to, by which clock, what the exchange allows for the symbol (None:
    not known now), and what the market bids now (None: not known)."""

    executor: BaseExecutor
    clock: Callable[[], Now]
    instrument: Instrument | None
    bid: Callable[[], Decimal | None] = lambda: None


def enter(
    bot: Bot, proposal: Proposal, pricing: Pricing, grounds: Grounds, executor: BaseExecutor, clock: Callable[[], Now]
) -> Approved | Refused:
    """Review a proposal and, when every check passes and no opinion in ``grounds`` forbids it, send its order. The
    decision is stored either way.

    ``bot`` is the bot as the tick decided with it. Call it outside a transaction.
    """

    def gate(portfolio: Portfolio) -> tuple[Approved | Refused, Order | None]:
        now = clock()
        locked = Bot.objects.select_related("account", "book").get(pk=bot.pk)
        exposure = read_exposure(portfolio, locked, bot, proposal, pricing, now, grounds.candle.get("opened_ms"))
        verdict = obeyed(review(proposal, exposure), grounds.opinion, needed=locked.ai_mode == AiMode.VETO)
        if isinstance(verdict, Refused):
            _write_refusal(portfolio, locked, verdict, grounds, now)
            return verdict, None
        decision = write_decision(locked, grounds, Outcome.APPROVED, proposal.reason, now, checks=verdict.results)
        return verdict, write_entry(portfolio, locked, verdict.proposal, decision, pricing.quote.ask, now)

    verdict, order = under_portfolio_lock(bot.account_id, gate)
    if order is not None and isinstance(verdict, Approved):
        with about(order):
            _send(verdict, order, executor, clock)
    elif isinstance(verdict, Refused):
        log.info("refused", check=verdict.check, limit=verdict.limit, value=verdict.value, reason=verdict.reason)
    return verdict


def decide_exit(position: Position, wish: Exit, grounds: Grounds | None, now: Now) -> None:
    """Commit that a position is to be closed; what carries it out is ``drive``, now or after a crash.

    ``grounds`` belong to a tick, whose decision is stored; None between ticks. Raises record.LostRace when the position
    is not OPEN any more: somebody else is closing it.
    """

    def gate(_: Portfolio) -> None:
        held = Position.objects.select_related("bot__account").get(pk=position.pk)
        if grounds is not None:
            write_decision(held.bot, grounds, Outcome.EXIT, wish.text, now)
        mark_closing(held, wish.reason, wish.text, wish.reference_price)

    under_portfolio_lock(position.account_id, gate)
    crash_point("exit_decided")


def sell(position_id: int, account_id: int, instrument: Instrument, means: Means) -> None:
    """Send the next exit order of a CLOSING position without unfinished orders, for all that it holds by now, or for as
    much as one order may sell: the rest follows as after any exit that was filled in part.

    What is too little for the exchange to sell is written off instead. Raises record.LostRace.
    """
    bid = means.bid()

    def gate(portfolio: Portfolio) -> Order | None:
        held = _held(position_id, PositionStatus.CLOSING)
        if _is_dust(held, bid or held.mark_price, instrument):
            close_out(portfolio, held, means.clock())
            return None
        decision = held.bot.decisions.filter(outcome=Outcome.EXIT, slot__gte=held.entry_slot).first()
        amount = instrument.round_amount_down(min(held.quantity, instrument.max_amount))
        return write_exit(held, amount, decision, means.clock())

    _reduce(position_id, under_portfolio_lock(account_id, gate), means)


def protect(position_id: int, account_id: int, instrument: Instrument, means: Means) -> None:
    """Let a stop rest at the exchange for all that an OPEN position holds. Raises record.LostRace."""

    def gate(_: Portfolio) -> Order:
        held = _held(position_id, PositionStatus.OPEN)
        return write_stop(held, instrument.round_amount_down(held.quantity), instrument, means.clock())

    _reduce(position_id, under_portfolio_lock(account_id, gate), means)


def write_off(position_id: int, account_id: int, now: Now) -> None:
    """Give up a rest that cannot be sold, and close its position. Raises record.LostRace."""

    def gate(portfolio: Portfolio) -> None:
        held = Position.objects.select_related("bot__account", "bot__book").get(pk=position_id)
        close_out(portfolio, held, now)

    under_portfolio_lock(account_id, gate)
    crash_point("written_off")


def _held(position_id: int, status: PositionStatus) -> Position:
    """The position, of which nothing is being sold. The database holds the same rule behind this look."""
    held = Position.objects.select_related("bot__account", "bot__book").get(pk=position_id)
    if held.status != status:
        raise LostRace(f"position {position_id} is {held.status}, not {status}")
    if held.orders.exclude(purpose=Purpose.ENTRY).filter(status__in=list(UNFINISHED_ORDER)).exists():
        raise LostRace(f"position {position_id} has a closing order already")
    return held


def _reduce(position_id: int, order: Order | None, means: Means) -> None:
    if order is not None:
        with about(order):
            _send(Reduction(position_id, order.amount), order, means.executor, means.clock)


def is_rest(held: Position, instrument: Instrument) -> bool:
    """Whether what is held may be written off as dust when it cannot be sold: it cost little, or is what a sale left.

    A wrong listing, or a bad print, must not write off a whole position.
    """
    with exact():
        return held.exit_price is not None or held.cost <= DUST_COST * instrument.min_notional


def _is_dust(held: Position, bid: Decimal | None, instrument: Instrument) -> bool:
    """Whether a rest is given up without an order: too little to be sold at any price, or at the market's own bid."""
    too_little = instrument.too_few(held.quantity) or (bid is not None and instrument.is_dust(held.quantity, bid))
    return too_little and is_rest(held, instrument)


def _send(permit: Approved | Reduction, order: Order, executor: BaseExecutor, clock: Callable[[], Now]) -> None:
    """The only place that calls an executor. An error that is not an answer leaves the order SENT, to be asked for."""
    purpose = order.purpose.lower()
    crash_point(f"{purpose}_intended")
    stopped = under_portfolio_lock(order.account_id, lambda _: _let_go(permit, order, clock()))
    if stopped:
        record(order, OrderReport(order.client_order_id, ReportStatus.CANCELED, reason=stopped), clock())
        return
    crash_point(f"{purpose}_let_go")
    try:
        report = executor.submit(request_of(order), clock())
    except Withheld as error:  # it did not leave this machine: as good as withdrawn
        report = OrderReport(order.client_order_id, ReportStatus.CANCELED, reason=f"not sent: {error}")
    except OutcomeUnknown as error:
        log.warning("order_unknown", order=order.client_order_id, error=str(error))
        record_unknown(order, str(error), clock())
        crash_point("unknown_recorded")
        return
    crash_point(f"{purpose}_answered")
    status = record(order, report, clock())
    crash_point(f"{purpose}_recorded")
    log.info("order", order=order.client_order_id, status=status, answer=report.reason, fills=len(report.fills))
    if status is OrderStatus.REJECTED and report.code in KEY_REFUSED:
        _stop_account(order, report.reason, clock())


def _stop_account(order: Order, reason: str, now: Now) -> None:
    """The exchange does not take our key: no entry of the account could succeed."""
    account = ExchangeAccount.objects.get(pk=order.account_id)
    text = f"account {account.name} halted, {account.exchange} refuses its API key: {reason}"
    under_portfolio_lock(account.pk, lambda _: raise_halt(account, None, "key_refused", text, {}, now))


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
    if problem := clock_problem(now):
        return f"withdrawn: {problem}"
    halts = open_halts(order.account_id, order.bot_id, now)
    if halts:
        return f"withdrawn: {halts[0]}"
    bot = Bot.objects.get(pk=order.bot_id)
    return "" if bot.may_enter else f"withdrawn: the bot is {bot.status}"


def _write_refusal(portfolio: Portfolio, bot: Bot, verdict: Refused, grounds: Grounds, now: Now) -> None:
    write_decision(
        bot, grounds, Outcome.REFUSED, verdict.reason, now, checks=verdict.results, failed_check=verdict.check
    )
    opinion = "" if grounds.opinion is None else sentence(grounds.opinion.as_dict())
    besides = f" ({opinion})" if opinion and verdict.check != CHECK else ""
    publish(
        RiskRefused(verdict.check, verdict.limit, verdict.value, opinion),
        f"{bot.name} may not enter {verdict.proposal.symbol}: {verdict.reason}{besides}",
        severity=Severity.WARNING,
        bot_id=bot.pk,
        market_at=now.market_at,
        wall_at=now.wall_at,
    )
    fire(portfolio, [bot.book], now)  # whichever check refused first
