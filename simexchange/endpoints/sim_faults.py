"""/sim/faults: script faults, see what became of them, take them away."""

from __future__ import annotations

import orjson

from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.faults.fault import Known, read_faults
from simexchange.faults.fields import BadField


def add(exchange: Exchange, call: Call) -> object:
    """All faults of the request, or none of them when one makes no sense."""
    known = Known(exchange.endpoints, list(exchange.market.source.instruments))
    return {"ids": exchange.faults.add(read_faults(json_body(call), known), call.wall_ms)}


def report(exchange: Exchange, call: Call) -> object:
    return exchange.faults.report(call.wall_ms)


def delete(exchange: Exchange, call: Call) -> object:
    """All, or the one named by ``id``."""
    asked = call.params.text("id")
    if asked is None:
        return {"deleted": exchange.faults.delete()}
    gone = exchange.faults.delete(int(asked)) if asked.isdecimal() else []
    if not gone:
        raise BadField("id", f"there is no active fault {asked!r}", exchange.faults.ids)
    return {"deleted": gone}


def json_body(call: Call) -> object:
    try:
        return orjson.loads(call.body)
    except orjson.JSONDecodeError as error:
        raise BadField("body", f"is not JSON: {error}", "a JSON object or a list of them") from error


ENDPOINTS = (
    Endpoint("POST", "/sim/faults", lambda params: 0, add),
    Endpoint("GET", "/sim/faults", lambda params: 0, report),
    Endpoint("DELETE", "/sim/faults", lambda params: 0, delete),
)
