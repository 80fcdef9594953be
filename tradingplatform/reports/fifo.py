"""Which purchase each sale disposes of: first in, first out, per account and symbol. PURE, and no tax advice.

Fills of all bots of the account are one queue: what one bot sells was acquired first by whichever bot, because a coin
at the exchange belongs to the account and bears no bot's name. So the gains of single disposals differ from the profit
of positions, and add up to the same.

- An acquisition costs price x amount; a fee in base means that less came in, at that price, and is a fee.
- A disposal brings price x amount; a fee in base is disposed of with the rest, and is a fee of price x that amount.
- A fee in quote is taken as it is, one in a third currency at the rate stored with the fill. That paying in a third
  currency disposes of some of that currency is not looked at.
- A lot that is taken apart gives each part price x part as its cost, exactly, and its fee by the part's share, rounded
  to 12 decimals half-even; the last part takes what is left. So do the parts of a disposal. Nothing is lost or doubled:

      money out - money in = cost and fees of what is left - sum of all gains
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from execution.ledger import COST_STEP, paid_elsewhere
from market.money import ROUNDED, ZERO, canonical, exact
from market.orders import Fill, Side


class Unmatched(ValueError):
    """Fills that cannot all be matched, or valued."""


@dataclass(frozen=True, slots=True)
class Lot:
    """One fill as it counts here, or what is left of it. ``amount``: base that came in or went out, fees in base
    inside; ``fee`` in quote."""

    symbol: str
    side: Side
    at: datetime
    price: Decimal
    amount: Decimal
    fee: Decimal
    bot: str
    trade_id: str

    @property
    def value(self) -> Decimal:
        """Price x amount in quote, the fee not in it."""
        with exact():
            return self.price * self.amount


@dataclass(frozen=True, slots=True)
class Disposal:
    """A sale, or the part of it that one lot covers. ``fees``: of the sale and of the purchase; amounts in quote."""

    symbol: str
    acquired_at: datetime
    disposed_at: datetime
    amount: Decimal
    proceeds: Decimal
    cost: Decimal
    fees: Decimal
    acquired_by: str
    disposed_by: str
    acquired_trade: str
    disposed_trade: str

    @property
    def gain(self) -> Decimal:
        """Proceeds - cost - fees."""
        with exact():
            return self.proceeds - self.cost - self.fees

    @property
    def holding_days(self) -> int:
        """Whole days of 24 h between the two."""
        return (self.disposed_at - self.acquired_at).days


@dataclass(frozen=True, slots=True)
class Matched:
    """All disposals, in the order they happened, and the lots that are left, the oldest of each symbol first."""

    disposals: list[Disposal]
    lots: list[Lot]


def lot_of(symbol: str, side: Side, bot: str, fill: Fill) -> Lot:
    """A fill as the exchange reported it. Raises Unmatched for a fee in a third currency whose price is not known."""
    base, _, quote = symbol.partition("/")
    with exact():
        in_base = fill.fee if fill.fee_currency == base else ZERO
        amount = fill.amount - in_base if side is Side.BUY else fill.amount + in_base
        fee = in_base * fill.price if in_base else _paid_in_quote(fill, base, quote)
    return Lot(symbol, side, fill.executed_at, fill.price, amount, fee, bot, fill.trade_id)


def match(fills: Iterable[Lot]) -> Matched:
    """Fills in the order they were booked; at one moment, purchases count first.

    Raises Unmatched when more of a symbol is sold than was bought by then.
    """
    queues: dict[str, deque[Lot]] = {}
    disposals: list[Disposal] = []
    for fill in sorted(fills, key=lambda one: (one.at, one.side is Side.SELL)):
        queue = queues.setdefault(fill.symbol, deque())
        if fill.side is Side.BUY:
            queue.append(fill)
        else:
            disposals += _dispose(queue, fill)
    return Matched(disposals, [lot for _, queue in sorted(queues.items()) for lot in queue])


def _dispose(queue: deque[Lot], sale: Lot) -> list[Disposal]:
    found = []
    while sale.amount:
        if not queue:
            raise Unmatched(
                f"fill {sale.trade_id} sells {canonical(sale.amount)} of {sale.symbol} more than was bought by "
                f"{sale.at:%Y-%m-%d %H:%M:%S}: check the books with verify_ledger"
            )
        lot = queue.popleft()
        amount = min(lot.amount, sale.amount)
        bought, lot = _split(lot, amount)
        sold, sale = _split(sale, amount)
        if lot.amount:
            queue.appendleft(lot)
        found.append(_disposal(bought, sold))
    return found


def _disposal(bought: Lot, sold: Lot) -> Disposal:
    """Of a purchase and a sale of the same amount."""
    with exact():
        fees = bought.fee + sold.fee
    return Disposal(
        symbol=sold.symbol,
        acquired_at=bought.at,
        disposed_at=sold.at,
        amount=sold.amount,
        proceeds=sold.value,
        cost=bought.value,
        fees=fees,
        acquired_by=bought.bot,
        disposed_by=sold.bot,
        acquired_trade=bought.trade_id,
        disposed_trade=sold.trade_id,
    )


def _split(lot: Lot, amount: Decimal) -> tuple[Lot, Lot]:
    """A part of so much, and the rest. The fee is split by amount; a whole takes all of it."""
    if amount == lot.amount:
        return lot, replace(lot, amount=ZERO, fee=ZERO)
    with exact():
        shared = lot.fee * amount
    with localcontext(ROUNDED):
        taken = (shared / lot.amount).quantize(COST_STEP, rounding=ROUND_HALF_EVEN)
    with exact():
        return replace(lot, amount=amount, fee=taken), replace(lot, amount=lot.amount - amount, fee=lot.fee - taken)


def _paid_in_quote(fill: Fill, base: str, quote: str) -> Decimal:
    try:
        return fill.fee if fill.fee_currency == quote else paid_elsewhere(fill, base, quote)
    except ValueError as error:
        raise Unmatched(str(error)) from error
