"""Our books against the exchange's: the same at start-up, after a crash, and every minute. Nothing here sends an order.

Repeating it is harmless. What it finds that nobody can explain halts entries and is told; what it finds out about our
own orders is booked, and ``drive`` does the rest.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

import structlog

from bots.lifecycle import HALT, halt
from bots.models import Bot, BotStatus, ExchangeAccount
from execution.balances import booked_balances, last_fill, traded_assets
from execution.clean import UNSETTLED, is_first, is_starting, note
from execution.drift import Drift, drift
from execution.drive import ask
from execution.lock import under_portfolio_lock
from execution.models import Order, Portfolio
from execution.states import OPEN_REPORT, RESTING_ORDER, TERMINAL_ORDER, UNFINISHED_ORDER, UNSETTLED_ORDER
from execution.submit import Means
from market.clock import Now
from market.exchange import OrderDesk, Rejected
from market.money import canonical
from market.orders import VenueOrder
from risk.halts import raise_halt

log = structlog.get_logger()

LOOKS = 4
"""How often balances are read while trades come in between, or orders turn out to have been filled."""

MeansOf = Callable[[str], Means]


@dataclass(frozen=True, slots=True)
class Finding:
    """What nobody can explain. ``bot_id`` None: it concerns the whole account."""

    cause: str
    text: str
    bot_id: int | None = None


def reconcile_account(
    account: ExchangeAccount, desk: OrderDesk, means: MeansOf, clock: Callable[[], Now], wait: Callable[[], object]
) -> str:
    """Compare everything once. Returns what keeps the account from being clean, empty when nothing does.

    ``wait`` lets a moment pass between two looks at the balances. Raises market.exchange.ExchangeError when the
    exchange cannot be asked: then nothing is concluded.
    """
    starting = is_starting(account)
    listed = desk.open_orders()
    findings = _strangers(account, listed, desk)
    _ask_about_vanished(account, listed, means)
    drifts = _drifts(account, desk, means, wait)
    if drifts or is_first(account):
        findings += _past_strangers(account, desk)
    findings += [Finding("balance_drift", _drift_text(account, drifts))] if drifts else []
    for finding in findings:
        _stop(account, finding, clock())
    problem = "; ".join(finding.text for finding in findings) or (_unsettled(account) if starting else "")
    note(account, problem, clock())
    return problem


def look_for_fills(account: ExchangeAccount, desk: OrderDesk, means: MeansOf, known: Collection[Drift]) -> list[Drift]:
    """A quick look between two comparisons, so that a stop that the exchange sold is known within seconds: the orders
    that may explain a balance are asked about. It concludes nothing. Returns the differences found; those ``known``
    from the last look are not asked about again. Of those that nobody answered for, the next look asks again.
    Raises market.exchange.ExchangeError.
    """
    found = _look(account, desk, traded_assets(account))
    answered = _ask_about(account, {each.asset for each in found if each not in known} - {account.quote}, means)
    return found if answered else [each for each in found if each in known]


def _strangers(account: ExchangeAccount, listed: Iterable[VenueOrder], desk: OrderDesk) -> list[Finding]:
    """Open orders that bear our prefix, and that our books do not have or believe to have ended."""
    found = []
    for order in _ours(account, listed):
        row = Order.objects.filter(client_order_id=order.client_order_id).first()
        if row is not None and row.status in UNFINISHED_ORDER:
            continue
        again = desk.find(order.symbol, order.client_order_id)  # it may have ended since it was listed
        if again is None or again.status not in OPEN_REPORT:
            continue
        row = Order.objects.filter(client_order_id=order.client_order_id).first()
        if row is None or row.status not in UNFINISHED_ORDER:
            found.append(_stranger(account, order, "is not in our books" if row is None else f"is {row.status} there"))
    return found


def _past_strangers(account: ExchangeAccount, desk: OrderDesk) -> list[Finding]:
    """Orders of the past that bear our prefix and are not in our books, or were filled after they had ended there: a
    backup was restored, or another installation trades under our name."""
    found = []
    for symbol in sorted(_symbols(account)):
        mine = list(_ours(account, _latest_orders(symbol, desk)))
        names = [order.client_order_id for order in mine]
        rows = {row.client_order_id: row for row in Order.objects.filter(client_order_id__in=names)}
        strange = ((order, _why_strange(order, rows.get(order.client_order_id))) for order in mine)
        found += [_stranger(account, order, why) for order, why in strange if why]
    return found


def _why_strange(order: VenueOrder, row: Order | None) -> str:
    """What of an order of the past cannot be; empty when all is well, or not settled yet."""
    if row is None:
        return "is not in our books"
    if row.status not in TERMINAL_ORDER or row.filled == order.filled:
        return ""
    return f"is {row.status} there: {canonical(order.filled)} were filled, {canonical(row.filled)} by our books"


def _latest_orders(symbol: str, desk: OrderDesk) -> list[VenueOrder]:
    """None of a symbol that the exchange refuses to speak of: what was traded once may not be listed any more, and must
    not keep the rest of the account from being compared."""
    try:
        return desk.latest_orders(symbol)
    except Rejected as error:
        log.warning("orders_not_listed", symbol=symbol, error=str(error))
        return []


def _ours(account: ExchangeAccount, listed: Iterable[VenueOrder]) -> Iterable[VenueOrder]:
    """An order belongs to us by its client order id alone."""
    return (order for order in listed if order.client_order_id.startswith(f"{account.order_prefix}-"))


def _stranger(account: ExchangeAccount, order: VenueOrder, what: str) -> Finding:
    number = order.client_order_id.split("-")[1]
    bot = Bot.objects.filter(pk=int(number), account=account).first() if number.isdecimal() else None
    side, name = order.side.lower(), order.client_order_id
    text = f"the exchange has order {name} ({side} {order.amount} {order.symbol}, {order.status}), which {what}"
    return Finding("unknown_order", text, bot.pk if bot else None)


def _ask_about_vanished(account: ExchangeAccount, listed: Collection[VenueOrder], means: MeansOf) -> None:
    """Orders that rest by our books and are not listed as open have ended: what they came to is booked."""
    names = {order.client_order_id: order for order in listed}
    resting = Order.objects.filter(account=account, status__in=list(RESTING_ORDER))
    for row in resting:
        order = names.get(row.client_order_id)
        if order is None or order.filled != row.filled:
            ask(row, means(row.symbol))


def _drifts(account: ExchangeAccount, desk: OrderDesk, means: MeansOf, wait: Callable[[], object]) -> list[Drift]:
    """Differences between the balances that nothing on its way explains: the same in two looks without a trade between,
    or another one in every look, as when somebody else trades there."""
    before: list[Drift] = []
    in_a_row = 0
    traded = traded_assets(account)
    for _ in range(LOOKS):
        trades, found = last_fill(account.pk), _look(account, desk, traded)
        if trades != last_fill(account.pk):
            before, in_a_row = [], 0
            continue
        if not found or found == before:
            return found
        _ask_about(account, {each.asset for each in found}, means)
        before, in_a_row = (found, in_a_row + 1) if trades == last_fill(account.pk) else ([], 0)
        wait()
    return before if in_a_row == LOOKS else []


def _look(account: ExchangeAccount, desk: OrderDesk, traded: Collection[str]) -> list[Drift]:
    """Where the exchange's balances and ours differ, but for what an order may have moved before or after they came."""
    moving = _in_flight(account)
    balances = {asset: balance.total for asset, balance in desk.balances().items()}
    booked = booked_balances(account.pk)
    return drift(booked, balances, moving | _in_flight(account), traded)


def _ask_about(account: ExchangeAccount, assets: set[str], means: MeansOf) -> bool:
    """The resting orders that might explain what moved: every trade moves a base and the quote. False when one of them
    had no answer."""
    resting = Order.objects.filter(account=account, status__in=list(RESTING_ORDER))
    concerned = [row for row in resting if row.symbol.partition("/")[0] in assets or account.quote in assets]
    answered = [ask(row, means(row.symbol)) for row in concerned]
    return all(answered)


def _in_flight(account: ExchangeAccount) -> set[str]:
    """The assets that orders may be moving at this moment, without our knowing."""
    symbols = Order.objects.filter(account=account, status__in=list(UNSETTLED_ORDER)).values_list("symbol", flat=True)
    return {asset for symbol in symbols for asset in symbol.split("/")}


def _symbols(account: ExchangeAccount) -> set[str]:
    in_service = Bot.objects.filter(account=account).exclude(status=BotStatus.STOPPED)
    return set(in_service.values_list("symbol", flat=True)) | set(
        Order.objects.filter(account=account).order_by().values_list("symbol", flat=True).distinct()
    )


def _drift_text(account: ExchangeAccount, drifts: Iterable[Drift]) -> str:
    return f"the balances of account {account.name} do not agree: {'; '.join(map(str, drifts))}"


def _unsettled(account: ExchangeAccount) -> str:
    return UNSETTLED if Order.objects.filter(account=account, status__in=list(UNSETTLED_ORDER)).exists() else ""


def _stop(account: ExchangeAccount, finding: Finding, now: Now) -> None:
    """Halt what the finding concerns. The same halt is not raised twice."""

    def work(_: Portfolio) -> None:
        bot = Bot.objects.filter(pk=finding.bot_id).first() if finding.bot_id is not None else None
        text = f"{finding.text}: entries stop"
        if raise_halt(account, bot, finding.cause, text, {}, now) and bot and bot.status in HALT.sources:
            halt(bot.pk, text, now=now, actor="reconciliation")

    under_portfolio_lock(account.pk, work)
