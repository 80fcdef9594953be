"""/sim/faults: script faults, see what became of them, take them away."""

from __future__ import annotations

from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.faults.fault import Known, read_faults
from simexchange.requests.fields import BadField, json_body


def add(exchange: Exchange, call: Call) -> object:
    """All faults of the request, or none of them when one makes no sense."""
    known = Known(exchange.endpoints, list(exchange.market.source.instruments))
    return {"ids": exchange.faults.add(read_faults(json_body(call.body), known), call.wall_ms)}


def report(exchange: Exchange, call: Call) -> object:
    return exchange.faults.report(call.wall_ms)


def delete(exchange: Exchange, call: Call) -> object:
    """All, or the one named by ``id``."""
    asked = call.params.sent.get("id")
    if asked is None:
        return {"deleted": exchange.faults.delete()}
    for known in exchange.faults.ids:
        if asked == str(known):
            return {"deleted": exchange.faults.delete(known)}
    raise BadField("id", f"there is no active fault {asked!r}", exchange.faults.ids)


ENDPOINTS = (
    Endpoint("POST", "/sim/faults", lambda params: 0, add),
    Endpoint("GET", "/sim/faults", lambda params: 0, report),
    Endpoint("DELETE", "/sim/faults", lambda params: 0, delete),
)
