"""Every endpoint there is."""

from __future__ import annotations

from simexchange.endpoints import (
    account,
    cancel_replace,
    market_data,
    order_lists,
    order_queries,
    sim,
    sim_faults,
    sim_limits,
    sim_symbols,
    tickers,
    trading,
)

#: Binance's API: counted, charged, signed where it must be, and struck by faults.
METERED = (
    *market_data.ENDPOINTS,
    *tickers.ENDPOINTS,
    *account.ENDPOINTS,
    *order_queries.ENDPOINTS,
    *trading.ENDPOINTS,
    *cancel_replace.ENDPOINTS,
    *order_lists.ENDPOINTS,
)
#: The simulator's own: no weight, no key, not counted.
FREE = (*sim.ENDPOINTS, *sim_faults.ENDPOINTS, *sim_limits.ENDPOINTS, *sim_symbols.ENDPOINTS)
