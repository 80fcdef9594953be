"""Planted bugs: each is a mistake that order paths are known for, put into the running code. A proof that does not find
them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from decimal import ROUND_FLOOR, Decimal
from typing import Any
from unittest.mock import patch

from django.db.models import Q
from django.utils import timezone

from execution import consequence, drive, intents, ledger, portfolio, reconcile, record, submit
from execution.flows import flows
from execution.intents import write_entry
from execution.live import LiveTrader
from execution.models import Order, Purpose, Trade
from execution.states import OrderStatus, PositionStatus
from execution.steps import Step, next_step
from market.ccxt_orders import CcxtOrderDesk
from market.exchange import ExchangeError, OutcomeUnknown, Transient
from market.orders import OrderReport, ReportStatus, Side
from risk.decisions import write_decision
from risk.limit_changes import limits_at_gate
from risk.models import DeadMansSwitch, Decision, Halt, Outcome
from tradingplatform import dead_man, errands
from tradingplatform.reconciler import Reconciler

Plant = Callable[[ExitStack], None]

_reset = dead_man.reset_switch
_submit, _query, _find = LiveTrader.submit, LiveTrader.query, LiveTrader._find


def _resend_with_the_same_id(stack: ExitStack) -> None:
    """An order without an answer is sent again under its own name: the exchange takes it twice."""

    def submit_again(self: LiveTrader, request: Any, now: Any) -> OrderReport:
        try:
            return _submit(self, request, now)
        except OutcomeUnknown:
            return _submit(self, request, now)

    stack.enter_context(patch.object(LiveTrader, "submit", submit_again))


def _absent_after_one_not_found(stack: ExitStack) -> None:
    """What is not found once, right after it was sent, never existed."""

    def query(self: LiveTrader, request: Any, sent: Any, now: Any) -> OrderReport:
        found = self._find(request)
        if found is None:
            return OrderReport(request.client_order_id, ReportStatus.ABSENT, reason="not found")
        return self._report(found)

    stack.enter_context(patch.object(LiveTrader, "query", query))


def _no_answer_is_not_found(stack: ExitStack) -> None:
    """A question that got no answer counts as "there is no such order"."""

    def query(self: LiveTrader, request: Any, sent: Any, now: Any) -> OrderReport:
        try:
            return _query(self, request, sent, now)
        except Transient:
            return OrderReport(request.client_order_id, ReportStatus.ABSENT, reason="no answer")

    stack.enter_context(patch.object(LiveTrader, "query", query))


def _silence_is_refusal(stack: ExitStack) -> None:
    """An order without an answer was not accepted."""

    def submit_(self: LiveTrader, request: Any, now: Any) -> OrderReport:
        try:
            return _submit(self, request, now)
        except OutcomeUnknown as error:
            return OrderReport(request.client_order_id, ReportStatus.REJECTED, reason=str(error))

    stack.enter_context(patch.object(LiveTrader, "submit", submit_))


def _fills_booked_twice(stack: ExitStack) -> None:
    """A fill that is told again under another number is another fill."""
    seen: dict[str, int] = {}

    def fresh(order: Order, report: OrderReport) -> list[Any]:
        told = seen[order.client_order_id] = seen.get(order.client_order_id, 0) + 1
        renamed = [replace(fill, trade_id=f"{fill.trade_id}{told if told > 1 else ''}") for fill in report.fills]
        booked = set(Trade.objects.filter(order=order).values_list("trade_id", flat=True))
        return [fill for fill in renamed if fill.trade_id not in booked]

    stack.enter_context(patch.object(record, "_fresh_fills", fresh))


def _sent_without_mark(stack: ExitStack) -> None:
    """The order leaves before that is committed."""
    stack.enter_context(patch.object(submit, "_let_go", lambda permit, order, now: ""))


def _sell_the_account_balance(stack: ExitStack) -> None:
    """The exit sells all that the account has of the asset, other bots' positions with it."""
    held: dict[str, Decimal] = {}
    find_balances = CcxtOrderDesk.balances
    place = LiveTrader.submit

    def submit_all(self: LiveTrader, request: Any, now: Any) -> OrderReport:
        if request.side is Side.SELL and request.price is None:
            try:
                held.update({asset: both.free + both.locked for asset, both in find_balances(self._desk).items()})  # type: ignore[arg-type]
            except ExchangeError:
                return place(self, request, now)
            there = held.get(request.symbol.partition("/")[0], request.amount)
            all_of_it = there.quantize(Decimal("0.001"), rounding=ROUND_FLOOR)  # on every lot step
            request = replace(request, amount=max(request.amount, all_of_it))
        return place(self, request, now)

    stack.enter_context(patch.object(LiveTrader, "submit", submit_all))


def _exit_beside_the_stop(stack: ExitStack) -> None:
    """The exit does not wait for its stop to end: both may sell."""
    real = next_step

    def hasty(scene: Any) -> Any:
        step, working = real(scene)
        if step is Step.CANCEL and working is not None:
            Order.objects.filter(pk=working.order_id).update(status=OrderStatus.CANCELED)
            return real(replace(scene, working=tuple(w for w in scene.working if w is not working)))
        return step, working

    stack.enter_context(patch.object(drive, "next_step", hasty))


def _base_fee_forgotten(stack: ExitStack) -> None:
    """What is bought is held, though the fee was taken out of it."""
    real = ledger.apply_fill

    def apply_fill(holding: Any, side: Side, fill: Any, base: str, quote: str, **rate: Any) -> Any:
        kept = replace(fill, fee=Decimal(0)) if fill.fee_currency == base else fill
        return real(holding, side, kept, base, quote, **rate)

    stack.enter_context(patch.object(record, "apply_fill", apply_fill))


def _name_forgotten(stack: ExitStack) -> None:
    """Every attempt has another name: what a crash left behind is never found again."""
    names = iter(range(10**9))

    def name(bot: Any, slot: int, purpose: Purpose, attempt: int = 0) -> str:
        kind = {Purpose.ENTRY: "e", Purpose.EXIT: "x", Purpose.STOP: "s"}[purpose]
        return f"{bot.account.order_prefix}-{bot.pk}-{slot}-{kind}{next(names)}"

    def query(self: LiveTrader, request: Any, sent: Any, now: Any) -> OrderReport:
        return _query(self, replace(request, client_order_id=request.client_order_id + "0"), sent, now)

    stack.enter_context(patch.object(intents, "client_order_id", name))
    stack.enter_context(patch.object(LiveTrader, "query", query))


def _cancel_is_taken_for_granted(stack: ExitStack) -> None:
    """A cancel without an answer has worked."""
    real = LiveTrader.cancel

    def cancel(self: LiveTrader, request: Any, now: Any) -> OrderReport:
        try:
            return real(self, request, now)
        except Transient:
            return OrderReport(request.client_order_id, ReportStatus.CANCELED)

    stack.enter_context(patch.object(LiveTrader, "cancel", cancel))


def _no_stop_is_placed(stack: ExitStack) -> None:
    """What is held is not protected at the exchange."""
    real = next_step

    def careless(scene: Any) -> Any:
        return real(replace(scene, protected=False))

    stack.enter_context(patch.object(drive, "next_step", careless))


def _halts_are_looked_at_too_early(stack: ExitStack) -> None:
    """A pause or a halt that comes between the decision and the sending is not seen any more."""
    stack.enter_context(patch.object(submit, "_why_stopped", lambda order, now: ""))


def _kill_switch_forgotten(stack: ExitStack) -> None:
    """Halts of bots and accounts count; what halts everything is looked for nowhere."""

    def halts(account_id: int, bot_id: int, now: Any = None) -> tuple[str, ...]:
        mine = Q(bot_id=bot_id) | Q(account_id=account_id, bot=None)
        return tuple(Halt.objects.filter(mine, cleared_at=None).values_list("text", flat=True))

    for module in (submit, portfolio):
        stack.enter_context(patch.object(module, "open_halts", halts))


def _switch_is_pushed_only(stack: ExitStack) -> None:
    """The gate trusts that somebody else has latched the switch in time."""

    def pull(now: Any) -> bool:
        return DeadMansSwitch.objects.exclude(latched_at=None).exists()

    for module in (submit, portfolio):
        stack.enter_context(patch.object(module, "pull", pull))


def _latch_is_looked_at_too_early(stack: ExitStack) -> None:
    """A switch that triggers between the decision and the sending is not seen any more."""
    stack.enter_context(patch.object(submit, "pull", lambda now: False))


def _check_in_resets(stack: ExitStack) -> None:
    """A check-in that comes too late unlatches the switch."""
    stack.enter_context(patch.object(dead_man, "check_in", lambda by, code: _reset(by)))


def _reset_is_replayed(stack: ExitStack) -> None:
    """A reset ends whatever trigger it finds, also one that came after it was asked for."""
    stack.enter_context(patch.object(dead_man, "reset_switch", lambda by, latched_at=None: _reset(by)))


def _restart_clears_halts(stack: ExitStack) -> None:
    """Who starts anew, starts clean."""
    real = Reconciler.begin

    def begin(self: Reconciler) -> None:
        Halt.objects.filter(cleared_at=None).update(cleared_at=timezone.now(), cleared_by="start", clear_reason="start")
        real(self)

    stack.enter_context(patch.object(Reconciler, "begin", begin))


def _limits_of_yesterday(stack: ExitStack) -> None:
    """Limits are read once, and kept."""
    kept: dict[int, Any] = {}

    def limits(bot: Any, account_id: int, now: Any) -> Any:
        return kept.setdefault(bot.pk, limits_at_gate(bot, account_id, now))

    stack.enter_context(patch.object(portfolio, "limits_at_gate", limits))


def _checks_not_kept(stack: ExitStack) -> None:
    """An approval keeps all checks but the last."""
    real = write_decision

    def write(bot: Any, grounds: Any, outcome: Any, *rest: Any, checks: Any = (), **more: Any) -> Any:
        kept = checks[:-1] if outcome == Outcome.APPROVED else checks
        return real(bot, grounds, outcome, *rest, checks=kept, **more)

    stack.enter_context(patch.object(submit, "write_decision", write))


def _refused_and_sent(stack: ExitStack) -> None:
    """The decision says no, and the order goes out. (The database refuses the order of a decision that said no at
    first: this one is turned into a no afterwards.)"""
    real = write_entry

    def write(portfolio: Any, bot: Any, proposal: Any, decision: Any, *rest: Any) -> Any:
        order = real(portfolio, bot, proposal, decision, *rest)
        Decision.objects.filter(pk=decision.pk).update(outcome=Outcome.REFUSED)
        return order

    stack.enter_context(patch.object(submit, "write_entry", write))


def _fee_not_in_balances(stack: ExitStack) -> None:
    """The balances forget fees."""
    real = flows

    def without_fee(side: Side, fill: Any, base: str, quote: str) -> Any:
        return real(side, replace(fill, fee=Decimal(0)), base, quote)

    stack.enter_context(patch.object(record, "flows", without_fee))


def _closed_is_flat(stack: ExitStack) -> None:
    """A position that was sold is booked as if there had never been one."""
    real = consequence.after_exit

    def after_exit(*figures: Any) -> PositionStatus:
        status = real(*figures)
        return PositionStatus.FLAT if status is PositionStatus.CLOSED else status

    stack.enter_context(patch.object(record, "after_exit", after_exit))
    stack.enter_context(patch.object(record, "check_position_move", lambda old, new: None))


def _nobody_asks(stack: ExitStack) -> None:
    """What became of an order is not asked."""
    for module in (drive, reconcile, errands):
        stack.enter_context(patch.object(module, "ask", lambda order, means: False))


def _exit_only_decided(stack: ExitStack) -> None:
    """An exit is decided, and nobody sells."""
    stack.enter_context(patch.object(drive, "sell", lambda *position: None))


@dataclass(frozen=True)
class Bug:
    """A mistake, and the invariants of which one has to find it. ``seed`` is of a history that found it once: where it
    still does, nobody need look for another."""

    plant: Plant
    found_by: tuple[str, ...]
    seed: int = 0

    @property
    def signs(self) -> tuple[str, ...]:
        """How a violation begins that tells of it."""
        return tuple(f"{name} " for name in self.found_by)


PLANTED: dict[str, Bug] = {
    "resend with the same id": Bug(_resend_with_the_same_id, ("I-1",), 4),
    "absent after one not-found": Bug(_absent_after_one_not_found, ("I-2",), 3),
    "no answer counts as not found": Bug(_no_answer_is_not_found, ("I-2",), 11),
    "silence counts as a refusal": Bug(_silence_is_refusal, ("I-2",), 11),
    "fills are booked twice": Bug(_fills_booked_twice, ("I-13",), 10),
    "sent before it is committed": Bug(_sent_without_mark, ("I-3",), 0),
    "an exit sells the account's balance": Bug(_sell_the_account_balance, ("I-12", "I-20"), 19),
    "an exit beside its stop": Bug(_exit_beside_the_stop, ("I-12", "I-11"), 8),
    "the fee in base is forgotten": Bug(_base_fee_forgotten, ("I-2",), 13),
    "orders forget their names": Bug(_name_forgotten, ("I-2",), 11),
    "a cancel is taken for granted": Bug(_cancel_is_taken_for_granted, ("I-12", "I-11"), 11),
    "no stop is placed": Bug(_no_stop_is_placed, ("I-11",), 8),
    "halts are looked at too early": Bug(_halts_are_looked_at_too_early, ("I-6",), 23),
    "the kill switch is forgotten": Bug(_kill_switch_forgotten, ("I-6",), 17),
    "the switch is pushed only": Bug(_switch_is_pushed_only, ("I-6",), 36),
    "the switch is looked at too early": Bug(_latch_is_looked_at_too_early, ("I-6",), 34),
    "a check-in resets the switch": Bug(_check_in_resets, ("I-7",), 8),
    "a reset is replayed": Bug(_reset_is_replayed, ("I-7",), 4),
    "a restart clears halts": Bug(_restart_clears_halts, ("I-7",), 84),
    "limits are those of yesterday": Bug(_limits_of_yesterday, ("I-19",), 8),
    "a check is not kept": Bug(_checks_not_kept, ("I-4",), 8),
    "what was refused is sent": Bug(_refused_and_sent, ("I-14",), 8),
    "balances forget fees": Bug(_fee_not_in_balances, ("I-5",), 8),
    "what was closed counts as flat": Bug(_closed_is_flat, ("I-8",), 8),
    "nobody asks what became of an order": Bug(_nobody_asks, ("I-10",), 8),
    "an exit is only decided": Bug(_exit_only_decided, ("I-20",), 8),
}


@contextmanager
def planted(name: str | None) -> Iterator[None]:
    """With the bug of that name in the code; None for the code as it is. Raises KeyError."""
    with ExitStack() as stack:
        if name is not None:
            PLANTED[name].plant(stack)
        yield
