"""/sim/limits: starve clients, and forgive them."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.requests.fields import Number, json_body, read
from simexchange.requests.limits import Limits, OrderCount

_FIELDS = {limit.name: Number(None, 1, 10**12, whole=True) for limit in fields(Limits)}


def report(exchange: Exchange, call: Call) -> object:
    """The limits that hold now, as exchangeInfo tells them: after the speed factor."""
    return asdict(exchange.limits)


def change(exchange: Exchange, call: Call) -> object:
    """Other limits from now on; what is not named stays."""
    wanted = {name: value for name, value in read(json_body(call.body), _FIELDS, "").items() if value is not None}
    exchange.limits = replace(exchange.limits, **wanted)
    return report(exchange, call)


def restore(exchange: Exchange, call: Call) -> object:
    """The limits it started with; what clients have used, and their bans, are forgotten."""
    exchange.limits = exchange.limits_at_start
    exchange.clients.clear()
    exchange.order_count = OrderCount()
    return report(exchange, call)


ENDPOINTS = (
    Endpoint("GET", "/sim/limits", lambda params: 0, report),
    Endpoint("POST", "/sim/limits", lambda params: 0, change),
    Endpoint("DELETE", "/sim/limits", lambda params: 0, restore),
)
