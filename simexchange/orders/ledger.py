"""The account's memory: orders, fills and balances in SQLite, written before the client gets its answer.

Money is stored as text, exactly as on the wire. Write-ahead logging keeps every committed row through a kill -9.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeVar

from simexchange.amounts import decimal8
from simexchange.market.listing_changes import Change
from simexchange.orders.account import Account, Outcome
from simexchange.orders.ledger_rows import (
    change_from,
    change_row,
    fill_from,
    fill_row,
    list_from,
    list_row,
    order_from,
    order_row,
    prepare,
)
from simexchange.orders.order import OPEN_STATUSES, Balance, Fill, Order, OrderList

_FAR_FUTURE_MS = 2**62
_Row = TypeVar("_Row")


@dataclass(frozen=True)
class Page:
    """At most ``limit`` rows: the first from an id or a time on when one is given, else the latest. Times are market
    time, both included."""

    limit: int
    from_id: int | None = None
    start_ms: int | None = None
    end_ms: int | None = None


class Ledger:
    """One account's ledger in ``directory``; opening it takes a lock, so that no two exchanges write one ledger."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(directory / "ledger.sqlite3", isolation_level=None, timeout=0.2)
        # EXCLUSIVE keeps the file locked until it is closed: a second process fails at its first statement.
        for pragma in ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL"):
            self._db.execute(f"PRAGMA {pragma}")
        prepare(self._db)

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
        account.next_list_id = self._db.execute("SELECT coalesce(max(list_id) + 1, 0) FROM order_lists").fetchone()[0]
        return account

    def record(self, outcome: Outcome) -> None:
        """Write an outcome in one transaction: orders, fills, balances, and up to when the symbol is matched by it."""
        with _Transaction(self._db):
            self._insert("OR REPLACE INTO orders", [order_row(order) for order in outcome.orders])
            self._insert("INTO fills", [fill_row(fill) for fill in outcome.fills])
            if outcome.order_list is not None:
                self._insert("INTO order_lists", [list_row(outcome.order_list)])
            self._write_balances(outcome.balances)
            self._write_matched(outcome.order.symbol, outcome.matched_ms)

    def keep_change(self, symbol: str, change: Change, market_ms: int) -> None:
        """Write down that a symbol's rules or status changed; its orders are matched up to this moment."""
        with _Transaction(self._db):
            self._insert("OR REPLACE INTO listing_changes", [change_row(symbol, change)])
            self._write_matched(symbol, market_ms)

    def _insert(self, into: str, rows: Sequence[tuple[object, ...]]) -> None:
        if rows:
            self._db.executemany(f"INSERT {into} VALUES ({','.join('?' * len(rows[0]))})", rows)

    def _write_matched(self, symbol: str, market_ms: int) -> None:
        self._insert("OR REPLACE INTO matched", [(symbol, market_ms)])

    def _write_balances(self, balances: Mapping[str, Balance]) -> None:
        rows = [(asset, decimal8(held.free), decimal8(held.locked)) for asset, held in balances.items()]
        self._insert("OR REPLACE INTO balances", rows)

    def matched(self) -> dict[str, int]:
        """Up to when (market time) each symbol's orders were surely matched."""
        return dict(self._db.execute("SELECT symbol, market_ms FROM matched"))

    def changes(self) -> dict[str, Change]:
        rows = self._db.execute("SELECT symbol, halted, step, tick, min_notional FROM listing_changes")
        return {symbol: change_from(*change) for symbol, *change in rows}

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

    def orders(self, symbol: str, page: Page) -> list[Order]:
        return self._paged(self._orders, "symbol = ?", [symbol], "order_id", page)

    def fills(self, symbol: str, order_id: int | None, page: Page) -> list[Fill]:
        """Of one order only when its id is given."""
        if order_id is None:
            return self._paged(self._fills, "symbol = ?", [symbol], "trade_id", page)
        return self._paged(self._fills, "symbol = ? AND order_id = ?", [symbol, order_id], "trade_id", page)

    def everything(self) -> tuple[list[Order], list[Fill]]:
        return self._orders("ORDER BY time_ms, symbol, order_id"), self._fills("ORDER BY time_ms, symbol, trade_id")

    def order_list(self, list_id: int | None, client_id: str | None) -> OrderList | None:
        """By id when given, else the latest pair with the client id."""
        where, key = ("list_id = ?", list_id) if list_id is not None else ("client_id = ?", client_id)
        found = self._lists(f"WHERE {where} ORDER BY list_id DESC LIMIT 1", key)
        return found[0] if found else None

    def orders_of(self, pair: OrderList) -> list[Order]:
        return self._orders("WHERE symbol = ? AND order_id IN (?, ?) ORDER BY order_id", pair.symbol, *pair.order_ids)

    def order_lists(self, page: Page) -> list[OrderList]:
        return self._paged(self._lists, "TRUE", [], "list_id", page)

    def _paged(
        self, read: Callable[..., list[_Row]], where: str, arguments: Sequence[object], number: str, page: Page
    ) -> list[_Row]:
        """The rows of a page, ascending by ``number``, the column of their ids."""
        where = f"WHERE {where} AND {number} >= ? AND time_ms BETWEEN ? AND ? ORDER BY {number}"
        end_ms = _FAR_FUTURE_MS if page.end_ms is None else page.end_ms
        arguments = [*arguments, page.from_id or 0, page.start_ms or 0, end_ms, page.limit]
        if page.from_id is None and page.start_ms is None:
            return read(f"{where} DESC LIMIT ?", *arguments)[::-1]
        return read(f"{where} LIMIT ?", *arguments)

    def _orders(self, where: str, *arguments: object) -> list[Order]:
        return [order_from(*row) for row in self._db.execute(f"SELECT * FROM orders {where}", arguments)]

    def _fills(self, where: str, *arguments: object) -> list[Fill]:
        return [fill_from(*row) for row in self._db.execute(f"SELECT * FROM fills {where}", arguments)]

    def _lists(self, where: str, *arguments: object) -> list[OrderList]:
        return [list_from(*row) for row in self._db.execute(f"SELECT * FROM order_lists {where}", arguments)]


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
