"""/sim/symbols: halt a symbol or change its rules while clients trade. No weight, no key, not counted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from simexchange.endpoints.symbol_info import symbol_info
from simexchange.errors import parameter_errors
from simexchange.errors.api_error import ApiError
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.market.listing_changes import Change
from simexchange.matcher import catch_up
from simexchange.requests.params import Params

_HALTED = {"TRADING": False, "BREAK": True}


def change_symbol(exchange: Exchange, symbol: str, change: Change, market_ms: int) -> None:
    """Let a change hold from this moment on. Open orders are matched up to it under the old rules; a symbol that trades
    again meets its orders at the price of that moment, as after a gap."""
    exchange.market.instrument(symbol)
    catch_up(exchange, market_ms)
    exchange.ledger.keep_change(symbol, change, market_ms)
    exchange.market.changes.changes[symbol] = change
    exchange.progress.reached(symbol, market_ms)


def change(exchange: Exchange, call: Call) -> object:
    """POST with ``symbol`` and any of ``status`` (TRADING, BREAK), ``stepSize``, ``tickSize``, ``minNotional``;
    ``reset=true`` forgets the earlier changes first. Answers as exchangeInfo describes the symbol now."""
    try:
        symbol = call.params.symbol()
        changed = _changed(exchange.market.changes.changes.get(symbol, Change()), call.params)
        call.params.refuse_unread()
        change_symbol(exchange, symbol, changed, call.market_ms)
    except ApiError as refusal:
        return refusal.body()
    trading = exchange.market.trading(symbol, call.market_ms)
    return symbol_info(exchange.market.instrument(symbol), trading)


def _changed(known: Change, params: Params) -> Change:
    known = Change() if params.flag("reset") else known
    status = params.text("status")
    if status is not None and status not in _HALTED:
        raise parameter_errors.bad_data("status")
    return replace(
        known,
        halted=known.halted if status is None else _HALTED[status],
        step=_positive(params, "stepSize") or known.step,
        tick=_positive(params, "tickSize") or known.tick,
        min_notional=_positive(params, "minNotional") or known.min_notional,
    )


def _positive(params: Params, name: str) -> Decimal | None:
    value = params.amount(name)
    if value == 0:
        raise parameter_errors.bad_data(name)
    return value


ENDPOINTS = (Endpoint("POST", "/sim/symbols", lambda params: 0, change),)
