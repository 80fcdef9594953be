"""/sim: what only a simulator can tell. No weight, no key, not counted."""

from __future__ import annotations

from dataclasses import asdict, fields, replace

from simexchange import sim_faults
from simexchange.answers import my_trade, order_status
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.faults.fields import Number, read
from simexchange.limits import Limits, OrderCount
from simexchange.stats import Stats
from simexchange.wire import decimal8

_LIMITS = {limit.name: Number(None, 1, 10**12, whole=True) for limit in fields(Limits)}


def ledger(exchange: Exchange, call: Call) -> object:
    """Everything the account ever did, in the shapes of allOrders and myTrades, and what it holds."""
    orders, fills = exchange.ledger.everything()
    return {
        "orders": [order_status(order) for order in orders],
        "fills": [my_trade(fill) for fill in fills],
        "balances": {
            asset: {"free": decimal8(balance.free), "locked": decimal8(balance.locked)}
            for asset, balance in exchange.ledger.balances().items()
        },
    }


def stats(exchange: Exchange, call: Call) -> object:
    """Counts since the last reset; ``weight_1m`` is the heaviest client's use of the current wall minute."""
    used = [client.weight.add(0, call.wall_ms) for client in exchange.clients.values()]
    return exchange.stats.report() | {
        "weight_1m": max(used, default=0),
        "weight_limit_1m": exchange.limits.weight_1m,
        "wall_ms": call.wall_ms,
        "market_ms": call.market_ms,
    }


def reset_stats(exchange: Exchange, call: Call) -> object:
    exchange.stats = Stats(call.wall_ms)
    return stats(exchange, call)


def limits(exchange: Exchange, call: Call) -> object:
    """The limits that hold now, as exchangeInfo tells them: after the speed factor."""
    return asdict(exchange.limits)


def set_limits(exchange: Exchange, call: Call) -> object:
    """Other limits from now on; what is not named stays."""
    wanted = {name: value for name, value in read(sim_faults.json_body(call), _LIMITS, "").items() if value is not None}
    exchange.limits = replace(exchange.limits, **wanted)
    return limits(exchange, call)


def restore_limits(exchange: Exchange, call: Call) -> object:
    """The limits it started with; what clients have used, and their bans, are forgotten."""
    exchange.limits = exchange.limits_at_start
    exchange.clients.clear()
    exchange.order_count = OrderCount()
    return limits(exchange, call)


def clock(exchange: Exchange, call: Call) -> object:
    return asdict(exchange.clock) | {"wall_ms": call.wall_ms, "market_ms": call.market_ms}


ENDPOINTS = (
    Endpoint("GET", "/sim/ledger", lambda params: 0, ledger),
    Endpoint("GET", "/sim/stats", lambda params: 0, stats),
    Endpoint("POST", "/sim/stats/reset", lambda params: 0, reset_stats),
    Endpoint("GET", "/sim/limits", lambda params: 0, limits),
    Endpoint("POST", "/sim/limits", lambda params: 0, set_limits),
    Endpoint("DELETE", "/sim/limits", lambda params: 0, restore_limits),
    Endpoint("GET", "/sim/clock", lambda params: 0, clock),
    Endpoint("POST", "/sim/faults", lambda params: 0, sim_faults.add),
    Endpoint("GET", "/sim/faults", lambda params: 0, sim_faults.report),
    Endpoint("DELETE", "/sim/faults", lambda params: 0, sim_faults.delete),
)
