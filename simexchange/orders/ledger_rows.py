"""The ledger's tables, and values as their rows. Money is text, exactly as on the wire."""

from __future__ import annotations

import sqlite3
from decimal import Decimal
from typing import Any

from simexchange.amounts import decimal8
from simexchange.market.listing_changes import Change
from simexchange.orders.order import Fill, Order, OrderList, OrderType, SelfTrade, Side, Status, TimeInForce

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    symbol TEXT, order_id INTEGER, client_order_id TEXT, side TEXT, type TEXT, quantity TEXT, quote_quantity TEXT,
    executed TEXT, quote_executed TEXT, status TEXT, time_ms INTEGER, updated_ms INTEGER,
    PRIMARY KEY (symbol, order_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS orders_by_client ON orders (symbol, client_order_id, order_id);
CREATE TABLE IF NOT EXISTS fills (
    symbol TEXT, trade_id INTEGER, order_id INTEGER, side TEXT, price TEXT, quantity TEXT, quote_quantity TEXT,
    commission TEXT, commission_asset TEXT, time_ms INTEGER, is_maker INTEGER,
    PRIMARY KEY (symbol, trade_id)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS fills_by_order ON fills (symbol, order_id);
CREATE TABLE IF NOT EXISTS balances (asset TEXT PRIMARY KEY, free TEXT, locked TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS order_lists (
    list_id INTEGER PRIMARY KEY, symbol TEXT, client_id TEXT, time_ms INTEGER, first_id INTEGER, second_id INTEGER
);
CREATE TABLE IF NOT EXISTS matched (symbol TEXT PRIMARY KEY, market_ms INTEGER) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS listing_changes (
    symbol TEXT PRIMARY KEY, halted INTEGER, step TEXT, tick TEXT, min_notional TEXT
) WITHOUT ROWID;
"""

#: Columns that a ledger of an earlier version lacks, with what its rows mean: market orders, worked when they came.
_ADDED = {
    "orders": {
        "price": "TEXT NOT NULL DEFAULT '0'",
        "stop_price": "TEXT NOT NULL DEFAULT '0'",
        "time_in_force": "TEXT NOT NULL DEFAULT 'GTC'",
        "self_trade": "TEXT NOT NULL DEFAULT 'EXPIRE_MAKER'",
        "locked": "TEXT NOT NULL DEFAULT '0'",
        "working_ms": "INTEGER",
        "met": "INTEGER NOT NULL DEFAULT 0",
        "list_id": "INTEGER NOT NULL DEFAULT -1",
    },
    "fills": {"list_id": "INTEGER NOT NULL DEFAULT -1"},
}


def prepare(db: sqlite3.Connection) -> None:
    """Create what is missing; a ledger of an earlier version is brought up to date in place."""
    db.executescript(_SCHEMA)
    for table, columns in _ADDED.items():
        known = {row[1] for row in db.execute(f"PRAGMA table_info({table})")}
        for name, kind in columns.items():
            if name not in known:
                db.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind}")


def order_row(o: Order) -> tuple[object, ...]:
    return (
        o.symbol, o.order_id, o.client_order_id, o.side, o.type, decimal8(o.quantity), decimal8(o.quote_quantity),
        decimal8(o.executed), decimal8(o.quote_executed), o.status, o.time_ms, o.updated_ms, decimal8(o.price),
        decimal8(o.stop_price), o.time_in_force, o.self_trade, decimal8(o.locked), o.working_ms, o.met, o.list_id,
    )  # fmt: skip


def order_from(symbol: str, order_id: int, client_id: str, side: str, kind: str, *rest: Any) -> Order:
    quantity, quote_quantity, executed, quote_executed, status, time_ms, updated_ms, *more = rest
    price, stop_price, time_in_force, self_trade, locked, working_ms, met, list_id = more
    return Order(
        symbol=symbol,
        order_id=order_id,
        client_order_id=client_id,
        side=Side(side),
        type=OrderType(kind),
        quantity=Decimal(quantity),
        quote_quantity=Decimal(quote_quantity),
        executed=Decimal(executed),
        quote_executed=Decimal(quote_executed),
        status=Status(status),
        time_ms=time_ms,
        updated_ms=updated_ms,
        price=Decimal(price),
        stop_price=Decimal(stop_price),
        time_in_force=TimeInForce(time_in_force),
        self_trade=SelfTrade(self_trade),
        locked=Decimal(locked),
        working_ms=time_ms if working_ms is None else working_ms,
        met=met,
        list_id=list_id,
    )


def fill_row(f: Fill) -> tuple[object, ...]:
    return (
        f.symbol, f.trade_id, f.order_id, f.side, decimal8(f.price), decimal8(f.quantity),
        decimal8(f.quote_quantity), decimal8(f.commission), f.commission_asset, f.time_ms, f.is_maker, f.list_id,
    )  # fmt: skip


def fill_from(symbol: str, trade_id: int, order_id: int, side: str, *rest: Any) -> Fill:
    price, quantity, quote_quantity, commission, commission_asset, time_ms, is_maker, list_id = rest
    return Fill(
        symbol=symbol,
        trade_id=trade_id,
        order_id=order_id,
        side=Side(side),
        price=Decimal(price),
        quantity=Decimal(quantity),
        quote_quantity=Decimal(quote_quantity),
        commission=Decimal(commission),
        commission_asset=commission_asset,
        time_ms=time_ms,
        is_maker=bool(is_maker),
        list_id=list_id,
    )


def list_row(pair: OrderList) -> tuple[object, ...]:
    return pair.list_id, pair.symbol, pair.client_id, pair.time_ms, *pair.order_ids


def list_from(list_id: int, symbol: str, client_id: str, time_ms: int, first_id: int, second_id: int) -> OrderList:
    return OrderList(list_id, symbol, client_id, time_ms, (first_id, second_id))


def change_row(symbol: str, change: Change) -> tuple[object, ...]:
    rules = (change.step, change.tick, change.min_notional)
    return symbol, change.halted, *(None if rule is None else decimal8(rule) for rule in rules)


def change_from(halted: int, *rules: str | None) -> Change:
    return Change(bool(halted), *(None if rule is None else Decimal(rule) for rule in rules))
