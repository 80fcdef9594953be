"""Keeps open orders up with the market: whatever happened to them since anyone last looked happens before one looks.

Events of all symbols happen in the order of market time, each in a transaction of its own. What happens depends on the
path of the price and on the orders alone, so it does not matter how often, or when, the exchange is asked: after a
crash it goes on from the last moment that is in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import wraps

from simexchange.amounts import to_decimal
from simexchange.errors import order_errors
from simexchange.exchange import Call, Exchange
from simexchange.market import depth
from simexchange.market.crossing import first_crossing, horizon_ms
from simexchange.orders.account import Outcome
from simexchange.orders.fees import Fees
from simexchange.orders.meeting import edges, meet, met
from simexchange.orders.resting import LEVELS
from simexchange.orders.taking import Terms

_NEVER_MS = 2**62


def commit(exchange: Exchange, outcome: Outcome) -> None:
    """Write an outcome down, then make it the present."""
    exchange.ledger.record(outcome)
    exchange.account.take(outcome)
    exchange.progress.reached(outcome.order.symbol, outcome.matched_ms)
    if outcome.fills and outcome.order.executed == sum(fill.quantity for fill in outcome.fills):
        exchange.order_count.first_fill(outcome.fills[0].is_maker)


def catch_up(exchange: Exchange, now_ms: int) -> None:
    """Let everything happen that happens to open orders up to this moment of market time, which is included."""
    while True:
        symbols = sorted({symbol for symbol, _ in exchange.account.open_orders})
        moments = [(_next_event(exchange, symbol, now_ms), symbol) for symbol in symbols]
        at_ms, symbol = min(moments, default=(_NEVER_MS, ""))
        if at_ms > now_ms:
            return
        _happen(exchange, symbol, at_ms)


def _next_event(exchange: Exchange, symbol: str, now_ms: int) -> int:
    """When something happens to the symbol's orders next, or a moment after ``now_ms`` before which nothing does."""
    progress, market = exchange.progress, exchange.market
    known_ms = progress.next_ms.get(symbol, 0)
    if known_ms > now_ms or market.changes.halted(symbol):
        return _NEVER_MS
    after_ms, until_ms = progress.matched_ms.setdefault(symbol, now_ms), horizon_ms(market, symbol, now_ms)
    low, high = edges(exchange.account.of(symbol), market.instrument(symbol))
    found = first_crossing(market, symbol, after_ms, until_ms, low, high)
    if found is None or found > now_ms:
        progress.reached(symbol, now_ms)
    progress.next_ms[symbol] = until_ms + 1 if found is None else found
    return progress.next_ms[symbol]


def _happen(exchange: Exchange, symbol: str, at_ms: int) -> None:
    """Meet the orders that the price of this moment meets, one after the other."""
    terms = terms_at(exchange, symbol, at_ms)
    for order in met(exchange.account.of(symbol), terms.last_e8, terms.instrument):
        still_open = exchange.account.open_orders.get(order.key)
        if still_open is not None and met([still_open], terms.last_e8, terms.instrument):
            commit(exchange, meet(exchange.account, still_open, terms))
    exchange.progress.reached(symbol, at_ms)


def terms_at(exchange: Exchange, symbol: str, now_ms: int) -> Terms:
    """What an order on the symbol meets at this moment; raises -1013 while the symbol does not trade."""
    market, instrument = exchange.market, exchange.market.instrument(symbol)
    price = market.price_e8(symbol, now_ms)
    average = market.average_price(symbol, 5, now_ms)
    if price is None or average is None:
        raise order_errors.market_closed()
    fees = _fees(exchange, instrument.quote, now_ms)
    return Terms(instrument, price, depth.book(instrument, price, LEVELS), average, fees, now_ms)


def _fees(exchange: Exchange, quote: str, now_ms: int) -> Fees:
    """The account's rates; the fee asset counts only where the market gives it a price in this quote."""
    (taker, maker), asset = exchange.fee_rates, exchange.fee_asset
    if asset is None:
        return Fees(taker, maker)
    if asset == quote:
        return Fees(taker, maker, asset, Decimal(1))
    if asset + quote not in exchange.market.source.instruments:
        return Fees(taker, maker)
    price = exchange.market.price_e8(asset + quote, now_ms)
    return Fees(taker, maker, asset, None if price is None else to_decimal(price))


def up_to_date(answer: Callable[[Exchange, Call], object]) -> Callable[[Exchange, Call], object]:
    """Decorates an endpoint that shows or changes orders: the market comes first."""

    @wraps(answer)
    def matched(exchange: Exchange, call: Call) -> object:
        catch_up(exchange, call.market_ms)
        return answer(exchange, call)

    return matched
