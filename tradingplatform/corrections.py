"""What a human does about books and exchange that do not agree: each act is one transaction with its audit event.

First what is known of positions (``closed_by_hand``), then the rest (``accept_balances``): whatever is accepted as a
balance first would be booked a second time by the sale. Neither clears a halt: that is a decision of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bots.models import ExchangeAccount
from execution.balances import book_untracked, booked_balances, last_fill, traded_assets
from execution.by_hand import book_sale
from execution.capital import book_found_capital
from execution.drift import Drift, drift
from execution.lock import under_portfolio_lock
from execution.models import Order, Portfolio, Position
from execution.states import RESTING_ORDER, UNSETTLED_ORDER
from market.exchange import OrderDesk
from market.money import brief, canonical
from notifications.events import publish
from notifications.kinds import Payload
from notifications.models import Severity
from tradingplatform.acting import By
from tradingplatform.event_kinds import BalancesAccepted, ClosedByHand


class Unsettled(ValueError):
    """Something is on its way, so the balances cannot be told apart from it. Try again when it has been booked."""


@dataclass(frozen=True, slots=True)
class Seen:
    """The exchange's balances (free and locked together), and the last fill that our books had when they were read."""

    balances: Mapping[str, Decimal]
    last_trade: int


def look(account: ExchangeAccount, desk: OrderDesk) -> Seen:
    """The balances, of which every fill is booked. Raises Unsettled, market.exchange.ExchangeError."""
    last_trade = last_fill(account.pk)
    balances = {asset: balance.total for asset, balance in desk.balances().items()}
    for order in Order.objects.filter(account=account, status__in=list(RESTING_ORDER)):
        there = desk.find(order.symbol, order.client_order_id)  # asked after the balances: these have no later fill
        if there is None or there.filled != order.filled:
            raise Unsettled(f"order {order} is not as our books have it: wait until that is booked, and try again")
    return Seen(balances, last_trade)


def differences(account: ExchangeAccount, at_exchange: Mapping[str, Decimal]) -> list[Drift]:
    """What accepting these balances would change."""
    return drift(booked_balances(account.pk), at_exchange, (), traded_assets(account))


def accept_balances(
    account: ExchangeAccount, at_exchange: Mapping[str, Decimal], by: By, last_trade: int | None = None
) -> list[Drift]:
    """What the exchange has is what is true: returns what was changed in our books.

    A difference of the quote currency is booked as capital that went in or out, of any other asset as untracked.
    ``last_trade``: the last fill booked when the balances were read. Raises ValueError without a reason, Unsettled.
    """
    _require_reason(by, "balances are accepted")

    def work(_: Portfolio) -> list[Drift]:
        _require_settled(account, last_trade)
        found = differences(account, at_exchange)
        for one in found:
            _accept(account, one, by)
        if found:
            _tell_accepted(account, found, by)
        return found

    return under_portfolio_lock(account.pk, work)


def closed_by_hand(position: Position, price: Decimal, by: By) -> Order:
    """The position was sold by hand at the exchange at ``price``: book it as an exit. The bot may enter again then.

    Raises ValueError without a reason or with a price that is none, execution.by_hand.NotSoldByHand.
    """
    _require_reason(by, "a position is closed by hand")
    if not price.is_finite() or price <= 0:
        raise ValueError(f"a price above 0 is needed, not {price}")

    def work(portfolio: Portfolio) -> Order:
        before = Position.objects.values_list("status", flat=True).get(pk=position.pk)
        order = book_sale(portfolio, position.pk, price, by.reason, by.now)
        _tell_closed(order, price, before, by)
        return order

    return under_portfolio_lock(position.account_id, work)


def _require_reason(by: By, what: str) -> None:
    if not by.reason.strip():
        raise ValueError(f"{what} for a reason: give one")


def _require_settled(account: ExchangeAccount, last_trade: int | None) -> None:
    order = Order.objects.filter(account=account, status__in=list(UNSETTLED_ORDER)).first()
    if order is not None:
        raise Unsettled(f"order {order} is {order.status}: wait until it is settled, and try again")
    if last_trade is not None and last_trade != last_fill(account.pk):
        raise Unsettled("a fill was booked since the balances were read: try again")


def _accept(account: ExchangeAccount, one: Drift, by: By) -> None:
    if one.asset == account.quote:
        book_found_capital(account, one.difference, f"{by.reason}, by {by.actor}", by.now)
    else:
        book_untracked(account.pk, one.asset, one.difference)


def _tell_accepted(account: ExchangeAccount, found: list[Drift], by: By) -> None:
    text = f"Account {account}: the exchange's balances accepted by {by.actor}: {'; '.join(map(str, found))}"
    changes = {one.asset: {"booked": canonical(one.booked), "at_exchange": canonical(one.at_exchange)} for one in found}
    _tell(BalancesAccepted(by.actor, by.reason, account.name, changes), text, None, by)
    before = {one.asset: canonical(one.booked) for one in found}
    after = {one.asset: canonical(one.at_exchange) for one in found}
    by.audit("accept_balances", f"account {account}", before=before, after=after)


def _tell_closed(order: Order, price: Decimal, before_status: str, by: By) -> None:
    text = (
        f"{order.bot.name}: {brief(order.amount)} {order.symbol} were sold by hand at {brief(price)}, says {by.actor}"
    )
    payload = ClosedByHand(by.actor, by.reason, order.client_order_id, str(order.position_id), price)
    _tell(payload, text, order.bot_id, by)
    sold = {"position": order.position_id, "amount": canonical(order.amount), "price": canonical(price)}
    before, after = {"status": before_status}, {"status": order.position.status, **sold}
    by.audit("close_by_hand", f"bot {order.bot.name}", bot_id=order.bot_id, before=before, after=after)


def _tell(payload: Payload, text: str, bot_id: int | None, by: By) -> None:
    publish(
        payload,
        text,
        severity=Severity.WARNING,
        bot_id=bot_id,
        market_at=by.now.market_at,
        wall_at=by.now.wall_at,
    )
