"""PURE. What a new order does: refused, or filled at these prices with these balances afterwards.

``place`` decides and changes nothing. The caller makes the outcome durable first, then lets the account ``take`` it, so
an answer never tells of something that a crash could undo. Resting orders have their place in ``Account.open_orders``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_DOWN, ROUND_FLOOR, Decimal

from simexchange import errors, filters
from simexchange.depth import Book, Level
from simexchange.instruments import Instrument
from simexchange.orders import OPEN_STATUSES, Balance, Fill, NewOrder, Order, Side, Status

_ZERO = Decimal(0)
_E8 = Decimal("0.00000001")


@dataclass(frozen=True)
class Outcome:
    """An accepted order, its fills, and the new balance of every asset they touched."""

    order: Order
    fills: tuple[Fill, ...]
    balances: Mapping[str, Balance]


@dataclass
class Account:
    """The account's present: balances by asset, resting orders by (symbol, order id), next ids by symbol."""

    balances: dict[str, Balance] = field(default_factory=dict)
    open_orders: dict[tuple[str, int], Order] = field(default_factory=dict)
    next_order_id: dict[str, int] = field(default_factory=dict)
    next_trade_id: dict[str, int] = field(default_factory=dict)

    def balance(self, asset: str) -> Balance:
        return self.balances.get(asset, Balance())

    def rests(self, client_order_id: str) -> bool:
        """Whether a resting order carries this client id: it must be unique among those, and only those."""
        return any(order.client_order_id == client_order_id for order in self.open_orders.values())

    def take(self, outcome: Outcome) -> None:
        """Make an outcome part of the present."""
        order = outcome.order
        self.balances.update(outcome.balances)
        self.next_order_id[order.symbol] = max(self.next_order_id.get(order.symbol, 1), order.order_id + 1)
        if outcome.fills:
            self.next_trade_id[order.symbol] = outcome.fills[-1].trade_id + 1
        if order.status in OPEN_STATUSES:
            self.open_orders[order.symbol, order.order_id] = order
        else:
            self.open_orders.pop((order.symbol, order.order_id), None)


@dataclass(frozen=True)
class Terms:
    """What an order meets: the book of the moment, the average price of five minutes, the taker's fee rate (0.001 is
    0.1 %) and market time."""

    instrument: Instrument
    book: Book
    average_price: Decimal
    fee_rate: Decimal
    now_ms: int


def place(account: Account, wish: NewOrder, terms: Terms) -> Outcome:
    """Fill a market order against the book. Raises Binance's refusal when a filter, the client id or the balance
    forbids it; what the book cannot fill expires."""
    filters.check(wish, terms.instrument, terms.average_price)
    if account.rests(wish.client_order_id):
        raise errors.rejected("Duplicate order sent.")
    offers = terms.book.asks if wish.side is Side.BUY else terms.book.bids
    taken, exhausted = walk(wish, offers, terms.instrument)
    executed = sum((level.quantity for level in taken), _ZERO)
    if wish.quote_quantity is not None:
        filters.check_bought(executed, terms.instrument)
    order_id = account.next_order_id.get(wish.symbol, 1)
    fills = _fills(wish, taken, terms, order_id, account.next_trade_id.get(wish.symbol, 1))
    balances = _settle(account, wish, fills, terms.instrument)
    order = Order(
        symbol=wish.symbol,
        order_id=order_id,
        client_order_id=wish.client_order_id,
        side=wish.side,
        type=wish.type,
        quantity=executed if wish.quantity is None else wish.quantity,
        quote_quantity=wish.quote_quantity or _ZERO,
        executed=executed,
        quote_executed=sum((fill.quote_quantity for fill in fills), _ZERO),
        status=Status.EXPIRED if exhausted else Status.FILLED,
        time_ms=terms.now_ms,
        updated_ms=terms.now_ms,
    )
    return Outcome(order, fills, balances)


def walk(wish: NewOrder, offers: list[Level], instrument: Instrument) -> tuple[list[Level], bool]:
    """What the order takes from each offer, best first, and whether the book ran out before it was satisfied.

    An order given in quote takes whole steps of base while the rest of its money buys one.
    """
    taken: list[Level] = []
    quantity_left, quote_left = wish.quantity, wish.quote_quantity
    for offer in offers:
        wanted = quantity_left
        if quote_left is not None:
            wanted = (quote_left / offer.price / instrument.step).to_integral_value(ROUND_FLOOR) * instrument.step
        assert wanted is not None
        if wanted <= 0:
            return taken, False
        part = Level(offer.price, min(wanted, offer.quantity))
        taken.append(part)
        if quote_left is not None:
            quote_left -= part.quantity * part.price
        else:
            quantity_left = wanted - part.quantity
        if part.quantity == wanted:
            return taken, False
    return taken, True


def _fills(wish: NewOrder, taken: list[Level], terms: Terms, order_id: int, trade_id: int) -> tuple[Fill, ...]:
    """Executions with the fee taken out of what is received: base when buying, quote when selling.

    Values of more than eight decimals are cut to eight, as the wire has no more.
    """
    buying = wish.side is Side.BUY
    fills = []
    for number, level in enumerate(taken):
        value = (level.price * level.quantity).quantize(_E8, ROUND_DOWN)
        received = level.quantity if buying else value
        fills.append(
            Fill(
                symbol=wish.symbol,
                trade_id=trade_id + number,
                order_id=order_id,
                side=wish.side,
                price=level.price,
                quantity=level.quantity,
                quote_quantity=value,
                commission=(received * terms.fee_rate).quantize(_E8, ROUND_DOWN),
                commission_asset=terms.instrument.base if buying else terms.instrument.quote,
                time_ms=terms.now_ms,
                is_maker=False,
            )
        )
    return tuple(fills)


def _settle(account: Account, wish: NewOrder, fills: tuple[Fill, ...], instrument: Instrument) -> dict[str, Balance]:
    """Balances of base and quote after the fills; refuses what the free balance does not cover."""
    base, quote = account.balance(instrument.base), account.balance(instrument.quote)
    quantity = sum((fill.quantity for fill in fills), _ZERO)
    value = sum((fill.quote_quantity for fill in fills), _ZERO)
    fee = sum((fill.commission for fill in fills), _ZERO)
    buying = wish.side is Side.BUY
    needed = max(value, wish.quote_quantity or _ZERO) if buying else max(quantity, wish.quantity or _ZERO)
    if needed > (quote if buying else base).free:
        raise errors.rejected("Account has insufficient balance for requested action.")
    if buying:
        base, quote = Balance(base.free + quantity - fee, base.locked), Balance(quote.free - value, quote.locked)
    else:
        base, quote = Balance(base.free - quantity, base.locked), Balance(quote.free + value - fee, quote.locked)
    return {instrument.base: base, instrument.quote: quote}
