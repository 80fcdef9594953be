"""/sim: what only a simulator can tell. No weight, no key, not counted."""

from __future__ import annotations

from dataclasses import asdict

from simexchange.amounts import decimal8
from simexchange.endpoints.answers import my_trade, order_status
from simexchange.exchange import Call, Endpoint, Exchange
from simexchange.matcher import up_to_date
from simexchange.requests.stats import Stats


@up_to_date
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


def clock(exchange: Exchange, call: Call) -> object:
    return asdict(exchange.clock) | {"wall_ms": call.wall_ms, "market_ms": call.market_ms}


ENDPOINTS = (
    Endpoint("GET", "/sim/ledger", lambda params: 0, ledger),
    Endpoint("GET", "/sim/stats", lambda params: 0, stats),
    Endpoint("POST", "/sim/stats/reset", lambda params: 0, reset_stats),
    Endpoint("GET", "/sim/clock", lambda params: 0, clock),
)
