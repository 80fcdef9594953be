"""/sim/symbols: halt a symbol or change its rules while clients trade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from simexchange.endpoints.symbol_info import symbol_info
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.market.instruments import MAX_PRICE
from simexchange.market.listing_changes import Change
from simexchange.matcher import catch_up
from simexchange.requests.fields import Amount, BadField, Choice, Field, read

_HALTED = {"TRADING": False, "BREAK": True}
_AMOUNT = Amount(int(MAX_PRICE))
_FIELDS: Mapping[str, Field] = {
    "status": Choice(None, tuple(_HALTED)),
    "stepSize": _AMOUNT,
    "tickSize": _AMOUNT,
    "minNotional": _AMOUNT,
    "reset": Choice("false", ("false", "true")),
}


def change(exchange: Exchange, call: Call) -> object:
    """POST with ``symbol`` and any of the fields; ``reset=true`` forgets the earlier changes first. Answers as
    exchangeInfo describes the symbol now."""
    symbols = tuple(exchange.market.source.instruments)
    told = read(call.params.sent, {"symbol": Choice(None, symbols), **_FIELDS}, "")
    symbol = told["symbol"]
    if symbol is None:
        raise BadField("symbol", "must be sent", list(symbols))
    known = exchange.market.changes.changes.get(symbol, Change()) if told["reset"] == "false" else Change()
    _change(exchange, symbol, _changed(known, told), call.market_ms)
    return symbol_info(exchange.market.instrument(symbol), exchange.market.trading(symbol, call.market_ms))


def _changed(known: Change, told: Mapping[str, str | None]) -> Change:
    step, tick, least = (told[name] for name in ("stepSize", "tickSize", "minNotional"))
    return replace(
        known,
        halted=_HALTED.get(told["status"] or "", known.halted),
        step=Decimal(step) if step else known.step,
        tick=Decimal(tick) if tick else known.tick,
        min_notional=Decimal(least) if least else known.min_notional,
    )


def _change(exchange: Exchange, symbol: str, change: Change, market_ms: int) -> None:
    """Let a change hold from this moment on. Open orders are matched up to it under the old rules; a symbol that trades
    again meets its orders at the price of that moment, as after a gap."""
    catch_up(exchange, market_ms)
    exchange.ledger.keep_change(symbol, change, market_ms)
    exchange.market.changes.changes[symbol] = change
    exchange.progress.reached(symbol, market_ms)


ENDPOINTS = (Endpoint("POST", "/sim/symbols", lambda params: 0, change),)
