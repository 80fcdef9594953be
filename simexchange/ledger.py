"""The account's memory: orders, fills and balances in SQLite, written before the client gets its answer.

Money is stored as text, exactly as on the wire. Write-ahead logging keeps every committed row through a kill -9.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from simexchange.engine import Account, Outcome
from simexchange.orders import OPEN_STATUSES, Balance, Fill, Order, OrderType, Side, Status
from simexchange.wire import decimal8

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
"""


class Ledger:
    """One account's ledger in ``directory``; opening it takes a lock, so that no two exchanges write one ledger."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / "ledger.sqlite3", isolation_level=None, timeout=0.2)
        # EXCLUSIVE keeps the file locked until it is closed: a second process fails at its first statement.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
            self._db.execute(f"PRAGMA {pragma}")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        self._db.close()

    def open_account(self, deposits: Mapping[str, Decimal]) -> Account:
        """The account as it was left; a new ledger starts with the deposits."""
        if self._db.execute("SELECT count(*) FROM balances").fetchone()[0] == 0:
            with _Transaction(self._db):
                self._write_balances({asset: Balance(amount) for asset, amount in deposits.items()})
        account = Account(balances=self.balances())
        account.open_orders = {
            (o.symbol, o.order_id): o for o in self._orders("WHERE status IN (?, ?)", *OPEN_STATUSES)
        }
        account.next_order_id = dict(self._db.execute("SELECT symbol, max(order_id) + 1 FROM orders GROUP BY symbol"))
        account.next_trade_id = dict(self._db.execute("SELECT symbol, max(trade_id) + 1 FROM fills GROUP BY symbol"))
        return account

    def record(self, outcome: Outcome) -> None:
        """Write an order, its fills and the balances after it in one transaction."""
        o = outcome.order
        with _Transaction(self._db):
            self._db.execute(
                "INSERT OR REPLACE INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
                (o.symbol, o.order_id, o.client_order_id, o.side, o.type, decimal8(o.quantity),
                 decimal8(o.quote_quantity), decimal8(o.executed), decimal8(o.quote_executed), o.status, o.time_ms,
                 o.updated_ms),
            )  # fmt: skip
            self._db.executemany(
                "INSERT INTO fills VALUES (?,?,?,?,?,?,?,?,?,?,?)",
                [
                    (f.symbol, f.trade_id, f.order_id, f.side, decimal8(f.price), decimal8(f.quantity),
                     decimal8(f.quote_quantity), decimal8(f.commission), f.commission_asset, f.time_ms, f.is_maker)
                    for f in outcome.fills
                ],
            )  # fmt: skip
            self._write_balances(outcome.balances)

    def _write_balances(self, balances: Mapping[str, Balance]) -> None:
        self._db.executemany(
            "INSERT OR REPLACE INTO balances VALUES (?,?,?)",
            [(asset, decimal8(held.free), decimal8(held.locked)) for asset, held in balances.items()],
        )

    def balances(self) -> dict[str, Balance]:
        rows = self._db.execute("SELECT asset, free, locked FROM balances ORDER BY asset")
        return {asset: Balance(Decimal(free), Decimal(locked)) for asset, free, locked in rows}

    def order(self, symbol: str, order_id: int | None, client_order_id: str | None) -> Order | None:
        """By order id when given, else the latest order with the client id."""
        if order_id is not None:
            found = self._orders("WHERE symbol = ? AND order_id = ?", symbol, order_id)
        else:
            where = "WHERE symbol = ? AND client_order_id = ? ORDER BY order_id DESC LIMIT 1"
            found = self._orders(where, symbol, client_order_id)
        return found[0] if found else None

    def orders(self, symbol: str, from_id: int | None, start_ms: int, end_ms: int, limit: int) -> list[Order]:
        """Ascending: from ``from_id`` on when given, else the latest of the (inclusive) time range."""
        where = "WHERE symbol = ? AND time_ms BETWEEN ? AND ? AND order_id >= ? ORDER BY order_id"
        if from_id is not None:
            return self._orders(where + " LIMIT ?", symbol, start_ms, end_ms, from_id, limit)
        return self._orders(where + " DESC LIMIT ?", symbol, start_ms, end_ms, 0, limit)[::-1]

    def fills(
        self, symbol: str, order_id: int | None, from_id: int | None, start_ms: int, end_ms: int, limit: int
    ) -> list[Fill]:
        """Ascending, picked as ``orders`` are; of one order only when its id is given."""
        where = "WHERE symbol = ? AND time_ms BETWEEN ? AND ? AND trade_id >= ?"
        arguments: list[object] = [symbol, start_ms, end_ms, from_id or 0]
        if order_id is not None:
            where += " AND order_id = ?"
            arguments.append(order_id)
        if from_id is not None:
            return self._fills(where + " ORDER BY trade_id LIMIT ?", *arguments, limit)
        return self._fills(where + " ORDER BY trade_id DESC LIMIT ?", *arguments, limit)[::-1]

    def everything(self) -> tuple[list[Order], list[Fill]]:
        return self._orders("ORDER BY time_ms, symbol, order_id"), self._fills("ORDER BY time_ms, symbol, trade_id")

    def _orders(self, where: str, *arguments: object) -> list[Order]:
        return [_order(*row) for row in self._db.execute(f"SELECT * FROM orders {where}", arguments)]

    def _fills(self, where: str, *arguments: object) -> list[Fill]:
        return [_fill(*row) for row in self._db.execute(f"SELECT * FROM fills {where}", arguments)]


def _order(symbol: str, order_id: int, client_id: str, side: str, kind: str, *rest: Any) -> Order:
    quantity, quote_quantity, executed, quote_executed, status, time_ms, updated_ms = rest
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
    )


def _fill(symbol: str, trade_id: int, order_id: int, side: str, *rest: Any) -> Fill:
    price, quantity, quote_quantity, commission, commission_asset, time_ms, is_maker = rest
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
    )


class _Transaction:
    """BEGIN IMMEDIATE ... COMMIT, or ROLLBACK when the block or the commit itself fails (a full disk)."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def __enter__(self) -> None:
        self._db.execute("BEGIN IMMEDIATE")

    def __exit__(self, kind: object, *_: object) -> None:
        try:
            if kind is None:
                self._db.execute("COMMIT")
        finally:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
